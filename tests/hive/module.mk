# Random edits, power cuts and faults, judged by regfcheck.py, regfreplay.py and hivex; damaged logs.
HIVE_TOOLS := $(addprefix $(BUILD)/tests/hive/,worker worker-fast roundtrip damage inherited unbuffered.so)

$(BUILD)/tests/hive/%: $(BUILD)/host/tests/hive/%.o $(BUILD)/host/libinjector.a
	$(call say,HOSTLD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(SAN) -o $@ $^ $(HOST_LIBS)

# Optimised, without sanitizers: for millions of flipped bits and the largest hives. The sources are
# all that the library needs.
HIVE_FAST_TOOLS := $(addprefix $(BUILD)/tests/hive/,damage inherited worker-fast)

$(BUILD)/tests/hive/worker-fast: tests/hive/worker.c
$(BUILD)/tests/hive/damage: tests/hive/damage.c
$(BUILD)/tests/hive/inherited: tests/hive/inherited.c

$(HIVE_FAST_TOOLS): $(HIVE_LIB_SRC) tests/unit/memdev.h $(wildcard injector/hive/*.h injector/base/*.h)
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=c17 -O2 $(WARN) $(CPP_COMMON) -o $@ $(filter %.c,$^)

$(BUILD)/tests/hive/unbuffered.so: tests/hive/unbuffered.c
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=c17 -O1 $(WARN) -shared -fPIC -o $@ $<

# hive-edit makes allocations fail.
$(BUILD)/tests/fuzz/hive-edit: HOST_LIBS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# The full numbers, roughly half an hour of processor time (HIVE_JOBS, HIVE_ONLY: see tests/hive/long): 20,013
# judged edits, 2,080 commits cut and failed everywhere, every bit of every log flipped.
.PHONY: test-hive-long
test-hive-long: $(HIVE_TOOLS)
	$(Q)BUILD=$(BUILD) tests/hive/long

# The three hive targets for a short while each: make fuzz-hive FUZZ_SECONDS=20
.PHONY: fuzz-hive
fuzz-hive: fuzz-hive-open fuzz-hive-replay fuzz-hive-edit
