# Tests. Unit tests are one cmocka program per tests/unit/NAME_test.c; every suite speaks TAP and
# tests/run counts.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.c))

include tests/fuzz/module.mk

# The domain controller's packages are only wanted where its start script is.
DOMAIN_DEBS := $(if $(wildcard ../shared/tools/samba-dc.sh),debs-domain)

.PHONY: test test-unit test-cli test-domain test-ui test-e2e test-tools test-wine
test: debs-test $(DOMAIN_DEBS) all $(UNIT_TESTS) test-tools $(BUILD)/tests/probe.img
	$(Q)BUILD=$(BUILD) tests/run

test-unit: $(UNIT_TESTS)
	$(Q)BUILD=$(BUILD) tests/run unit

test-cli: $(BUILD)/odjstick test-tools
	$(Q)BUILD=$(BUILD) tests/run cli

test-domain: $(DOMAIN_DEBS) $(BUILD)/odjstick test-tools
	$(Q)BUILD=$(BUILD) tests/run domain

test-ui: $(BUILD)/odjstick test-tools
	$(Q)BUILD=$(BUILD) tests/run ui

test-e2e: all test-tools
	$(Q)BUILD=$(BUILD) tests/run e2e

# The first-boot script in Wine's cmd.exe, which is not among the packages of make test (100 MB):
# apt-get install --no-install-recommends wine64
test-wine: $(BUILD)/tests/tools/firstboot_script
	$(Q)BUILD=$(abspath $(BUILD)) bats tests/wine

# Tools that tests use to make their ground: one program per tests/tools/NAME.c.
$(BUILD)/tests/tools/%: $(BUILD)/host/tests/tools/%.o $(BUILD)/host/libinjector.a
	$(call say,HOSTLD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(SAN) -o $@ $^ $(HOST_LIBS)

# ntfstree makes the demo's disk too, so it asks for no library but libntfs-3g.
$(BUILD)/tests/tools/ntfstree: tests/tools/ntfstree.c injector/volume/libntfs.h | debs-demo
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=c17 -O1 -g $(WARN) $(CPP_COMMON) -o $@ $< -lntfs-3g

$(addprefix $(BUILD)/tests/unit/,volume_test volume_crash_test discover_test): \
	| $(BUILD)/tests/tools/ntfstree

$(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/apply_crash*_test.c)): \
	| $(BUILD)/tests/tools/ntfstree $(BUILD)/tests/tools/mkhive $(BUILD)/host/odjstick

TEST_TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))
include tests/tools/mkhive/module.mk
include tests/hive/module.mk

test-tools: $(TEST_TOOLS) $(BUILD)/tests/tools/mkhive $(HIVES) $(HIVE_TOOLS)

# Warnings are errors in all host objects; then what other programs say. LINT_FILES narrows clang-tidy,
# which takes minutes for the whole tree: make lint LINT_FILES='injector/job/*.c'
LINT_FILES ?=
.PHONY: lint
lint: debs-lint
	$(Q)$(MAKE) --no-print-directory CI=1 BUILD=$(BUILD)/lint SAN= host
	$(Q)tests/lint $(LINT_FILES)

# Longer than make test: the same tests with all they can do. They need hours of one processor together.
.PHONY: test-crash test-cycles test-mutants test-powercut bench-apply
LONG := $(BUILD)/long
LONG_TESTS = $(MAKE) --no-print-directory BUILD=$(LONG) SAN=

# Every kind of power cut at every operation, every kind of fault at every call.
test-crash: debs-test
	$(Q)$(LONG_TESTS) $(addprefix $(LONG)/tests/unit/,apply_crash_whole_test apply_crash_fault_test)
	$(Q)CRASH_STRIDE=1 $(LONG)/tests/unit/apply_crash_whole_test
	$(Q)CRASH_STRIDE=1 $(LONG)/tests/unit/apply_crash_fault_test

# Apply and undo a thousand times on one disk, for every method.
test-cycles: debs-test
	$(Q)$(LONG_TESTS) $(LONG)/tests/unit/apply_crash_cycles_test
	$(Q)CYCLES=1000 $(LONG)/tests/unit/apply_crash_cycles_test

# Each barrier of the writers taken away in turn: the power-cut test must notice.
test-mutants: debs-test
	$(Q)BUILD=$(BUILD) tests/tools/crash-mutants

# Power cuts and pulled sticks in QEMU, at many moments.
test-powercut: debs-test all test-tools
	$(Q)BUILD=$(BUILD) POWERCUTS=200 YANKS='5 50 76 78 80 82 84 86 88 90 92 94 96 99' \
		bats --tap tests/e2e/long/powercut.bats

# One apply against libguestfs doing the same; fails below the limits.
bench-apply: debs-test debs-bench $(BUILD)/odjstick test-tools
	$(Q)tests/bench/apply/run $(BUILD)/odjstick $(BUILD)/tests/tools
