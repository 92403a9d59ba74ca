# Random edits, power cuts and faults, judged by regfcheck.py, regfreplay.py and hivex; damaged logs.
HIVE_TOOLS := $(BUILD)/tests/hive/worker $(BUILD)/tests/hive/damage

$(BUILD)/tests/hive/%: $(BUILD)/host/tests/hive/%.o $(BUILD)/host/libinjector.a
	$(call say,HOSTLD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(SAN) -o $@ $^ $(HOST_LIBS)

# hive-edit makes allocations fail.
$(BUILD)/tests/fuzz/hive-edit: HOST_LIBS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# The full numbers (about half an hour): 20,000 judged edits, 2,000 commits cut everywhere, every bit flipped.
.PHONY: test-hive-long
test-hive-long: $(HIVE_TOOLS)
	$(Q)BUILD=$(BUILD) tests/hive/long

# The three hive targets for a short while each: make fuzz-hive FUZZ_SECONDS=20
.PHONY: fuzz-hive
fuzz-hive: fuzz-hive-open fuzz-hive-replay fuzz-hive-edit
