INJECTOR_SRC += $(wildcard injector/odj/*.c)
