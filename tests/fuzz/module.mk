# Fuzz targets: tests/fuzz/NAME/fuzz.c (libFuzzer) and tests/fuzz/NAME/seeds, a program that fills the
# folder it is given with the first inputs.
#   make fuzz-NAME [FUZZ_SECONDS=60]
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
# gcc is the judge of warnings; clang has others.
FUZZ_CFLAGS = -std=c17 -O1 -g $(FUZZ_FLAGS) $(CPP_COMMON)
FUZZ_LIB_OBJ = $(patsubst %.c,$(BUILD)/fuzz/%.o,$(INJECTOR_SRC))

$(BUILD)/fuzz/%.o: %.c
	$(call say,FUZZCC,$<)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libinjector.a: $(FUZZ_LIB_OBJ)
	$(Q)rm -f $@ && ar rcsD $@ $^

$(BUILD)/tests/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%/fuzz.o $(BUILD)/fuzz/libinjector.a
	$(call say,FUZZLD,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(subst fuzzer-no-link,fuzzer,$(FUZZ_FLAGS)) -o $@ $^ $(HOST_LIBS)

fuzz-%: $(BUILD)/tests/fuzz/%
	$(Q)mkdir -p $(BUILD)/fuzz-corpus/$*
	$(Q)tests/fuzz/$*/seeds $(BUILD)/fuzz-corpus/$*
	$(Q)$(BUILD)/tests/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix=$(BUILD)/fuzz-corpus/$*- $(BUILD)/fuzz-corpus/$*
