INJECTOR_SRC += $(wildcard injector/base/*.c)
