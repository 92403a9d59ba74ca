INJECTOR_SRC += $(wildcard injector/hive/*.c)

# The library alone, for other programs: what it needs of injector/base is inside, and only what its
# headers declare can be seen from outside. Headers: injector/hive/hive.h and the three it includes.
HIVE_LIB_SRC := $(wildcard injector/hive/*.c) \
	$(addprefix injector/base/,bytedev.c err.c mem.c reader.c utf16.c)
HIVE_LIB_OBJ := $(patsubst %.c,$(BUILD)/libhive/%.o,$(HIVE_LIB_SRC))

$(BUILD)/libhive/%.o: %.c
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=c17 -O2 -fPIC $(WARN) $(CPP_COMMON) -MMD -MP -c -o $@ $<

$(BUILD)/libhive.a: $(HIVE_LIB_OBJ)
	$(call say,AR,$@)
	$(Q)$(HOST_CC) -r -nostdlib -o $(BUILD)/libhive/libhive.o $^
	$(Q)objcopy --wildcard $(addprefix --keep-global-symbol=,'hive_*' 'bytedev_*' 'err_*' 'buf_*' freep \
		'[lb]e16' 'le32' 'le64' 'put_le*') $(BUILD)/libhive/libhive.o
	$(Q)rm -f $@ && ar rcsD $@ $(BUILD)/libhive/libhive.o

-include $(HIVE_LIB_OBJ:.o=.d)
