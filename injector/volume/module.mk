INJECTOR_SRC += $(wildcard injector/volume/*.c)
