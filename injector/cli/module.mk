CLI_SRC += $(wildcard injector/cli/*.c)
