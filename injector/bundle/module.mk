INJECTOR_SRC += $(wildcard injector/bundle/*.c)
