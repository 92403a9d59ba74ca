INJECTOR_SRC += $(wildcard injector/windows/*.c)
