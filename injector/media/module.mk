INJECTOR_SRC += $(wildcard injector/media/*.c)
