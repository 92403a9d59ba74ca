# The third-party parts of the stick: BusyBox and the product's libraries, from Debian source
# packages, static with musl (rootfs/packages). The sysroot's .complete holds the hash of all that
# went into it and keeps its time stamp while that does not change.
PACKAGES = rootfs/packages
PACKAGES_INPUTS = $(addprefix $(PACKAGES)/,build common.sh lock busybox.config debs-build) \
	$(wildcard $(PACKAGES)/recipes/*)

.PHONY: packages debs-build debs-test debs-demo debs-domain debs-lint debs-bench
packages: $(BUILD)/sysroot/.complete

$(BUILD)/sysroot/.complete: $(PACKAGES_INPUTS)
	$(Q)$(PACKAGES)/install-debs --list build
	$(Q)$(PACKAGES)/build --sysroot $(@D)

# The machine's Debian packages for a purpose; says what it installs and why, or does nothing.
debs-build debs-test debs-demo debs-domain debs-lint debs-bench: debs-%:
	$(Q)$(PACKAGES)/install-debs --list build $*

test-tools: debs-test

# The image is made by programs of that list too.
$(BUILD)/boot-debs.stamp: | debs-build

# One function of every library, linked exactly as the product is.
$(BUILD)/tests/packages/smoke: tests/packages/smoke.c $(BUILD)/sysroot/.complete
	$(call say,MUSLLD,$@)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) $(MUSL_LDFLAGS) -o $@ $< $(MUSL_LIBS)
