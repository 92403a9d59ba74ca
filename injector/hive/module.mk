INJECTOR_SRC += $(wildcard injector/hive/*.c)
