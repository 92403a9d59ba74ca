# Unit tests: one cmocka program per tests/unit/NAME_test.c.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.c))

.PHONY: test-unit
test-unit: $(UNIT_TESTS)
	$(Q)for t in $(UNIT_TESTS); do "$$t"; done
