INJECTOR_SRC += $(wildcard injector/job/*.c)
