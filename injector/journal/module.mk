INJECTOR_SRC += $(wildcard injector/journal/*.c)
