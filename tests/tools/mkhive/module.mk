# mkhive builds hives from descriptions. It needs no library but our own two folders, so the demo can
# build it before anything else.
MKHIVE_SRC := tests/tools/mkhive/mkhive.c $(addprefix tests/tools/mkhive/,sddl.c samdata.c cut.c) \
	$(wildcard injector/hive/*.c) \
	injector/base/bytedev.c injector/base/clock.c injector/base/err.c injector/base/mem.c \
	injector/base/reader.c injector/base/utf16.c

$(BUILD)/tests/tools/mkhive: $(MKHIVE_SRC) $(wildcard injector/hive/*.h injector/base/*.h tests/tools/mkhive/*.h)
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=c17 -O1 -g $(WARN) $(CPP_COMMON) -o $@ $(MKHIVE_SRC)

# Hives of a synthetic Windows, from tests/vectors/hives/NAME.hive-text.
$(BUILD)/hives/%: tests/vectors/hives/%.hive-text $(BUILD)/tests/tools/mkhive
	$(call say,HIVE,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(BUILD)/tests/tools/mkhive $< $@

HIVES := $(patsubst tests/vectors/hives/%.hive-text,$(BUILD)/hives/%,$(wildcard tests/vectors/hives/*.hive-text))
