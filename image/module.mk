# The stick image: Debian's signed kernel and loaders, our initramfs, an empty data partition.
#   STICK_DATA_MIB   size of the data partition in the image (64); `stick make` grows it
STICK_DATA_MIB ?= 64
PROBE_BUSYBOX ?= $(SYSROOT)/bin/busybox
STICK_WIZARD ?= $(BUILD)/odjstick
HOST_PYTHON ?= /usr/bin/python3

BOOT_DEBS = $(BUILD)/boot-debs

$(BUILD)/boot-debs.stamp: rootfs/boot-debs/lock rootfs/boot-debs/fetch
	$(call say,DEBS,signed kernel and loaders)
	@mkdir -p $(@D)
	$(Q)rootfs/boot-debs/fetch $(BOOT_DEBS)
	$(Q)touch $@

$(BUILD)/modules/.complete: rootfs/modules/list rootfs/modules/collect $(BUILD)/boot-debs.stamp
	$(Q)rm -rf $(@D)
	$(Q)PATH="$$PATH:/usr/sbin:/sbin" $(HOST_PYTHON) rootfs/modules/collect $(BOOT_DEBS) rootfs/modules/list $(@D)
	$(Q)touch $@

$(BUILD)/initrd: image/mkinitramfs rootfs/keymaps/list $(BUILD)/init $(STICK_WIZARD) $(BUILD)/modules/.complete
	$(call say,INITRD,$@)
	$(Q)image/mkinitramfs $@ $(BUILD)/init $(STICK_WIZARD) $(BUILD)/modules $(BOOT_DEBS)

$(BUILD)/odjstick.img: image/mkimage image/manifest image/README.TXT $(wildcard image/loader/*) $(BUILD)/initrd \
		$(BUILD)/legal/.complete
	$(Q)image/mkimage $@ $(BOOT_DEBS) $(BUILD)/initrd $(STICK_DATA_MIB) $(BUILD)/legal

# What is on the stick and under which licences: read from Debian's packages and source packages.
$(BUILD)/legal/.complete: image/legal COPYING rootfs/boot-debs/lock rootfs/packages/lock $(BUILD)/boot-debs.stamp \
		$(BUILD)/sysroot/.complete
	$(call say,LEGAL,$(@D))
	$(Q)rootfs/packages/build --sources
	$(Q)rm -rf $(@D) && $(HOST_PYTHON) image/legal $(@D) $(BOOT_DEBS) $(VERSION)
	$(Q)touch $@

# make image                                      the same as build/odjstick.img
# make image UKI_KEY=KEY.pem UKI_CERT=CERT.pem    build/odjstick-uki.img, for a fleet with its own key
.PHONY: image
ifdef UKI_KEY
image: $(BUILD)/odjstick-uki.img
else
image: $(BUILD)/odjstick.img
endif

$(BUILD)/odjstick-uki.img: image/mkimage image/mkuki image/manifest image/README.TXT $(wildcard image/loader/*) \
		$(BUILD)/initrd $(BUILD)/legal/.complete $(UKI_KEY) $(UKI_CERT)
	$(Q)UKI_KEY='$(UKI_KEY)' UKI_CERT='$(UKI_CERT)' \
		image/mkimage $@ $(BOOT_DEBS) $(BUILD)/initrd $(STICK_DATA_MIB) $(BUILD)/legal

# The source of everything on the stick, for whoever passes sticks on: build/sources.
.PHONY: sources
sources: $(BUILD)/boot-debs.stamp
	$(Q)image/sources $(BUILD)/sources

.PHONY: boot-debs
boot-debs: $(BUILD)/boot-debs.stamp

# The stick with a probe in the wizard's place, to see the system from the inside (tests/e2e). The
# probe is a shell script; no shell is on the stick itself.
$(BUILD)/tests/probe.initrd: image/mkinitramfs rootfs/keymaps/list $(BUILD)/init tests/e2e/probe $(BUILD)/modules/.complete
	@mkdir -p $(@D)
	$(Q)image/mkinitramfs $@ $(BUILD)/init tests/e2e/probe $(BUILD)/modules $(BOOT_DEBS) \
		$(PROBE_BUSYBOX)

$(BUILD)/tests/probe.img: image/mkimage image/manifest image/README.TXT $(wildcard image/loader/*) $(BUILD)/tests/probe.initrd
	$(Q)image/mkimage $@ $(BOOT_DEBS) $(BUILD)/tests/probe.initrd $(STICK_DATA_MIB)

.PHONY: test-boot
test-e2e: $(BUILD)/tests/probe.img
test-boot: $(BUILD)/odjstick.img $(BUILD)/tests/probe.img
	$(Q)BUILD=$(BUILD) bats --tap tests/e2e/image.bats tests/e2e/boot.bats \
		tests/e2e/wizard.bats

# Every row of the boot matrix, each through one apply: about a quarter of an hour.
.PHONY: test-boot-all
test-boot-all: all test-tools
	$(Q)BUILD=$(BUILD) BOOT_ALL=1 bats --tap tests/e2e/all tests/e2e/secureboot.bats tests/e2e/uki.bats

# The whole job once; says what it installs. INTERACTIVE=1 hands the wizard over.
.PHONY: demo
demo: debs-demo all $(BUILD)/tests/tools/ntfstree $(patsubst %,$(BUILD)/hives/win11-%,SYSTEM SOFTWARE SAM)
	$(Q)BUILD=$(BUILD) image/demo

# From power-on to the first screen, beside an init that does nothing; fails over its limits. A program
# that tells the kernel's clock runs first on both: alone, and in front of the stick's own init.
.PHONY: bench-boot
bench-boot: all $(BUILD)/tests/null.img $(BUILD)/tests/clock.img
	$(Q)BUILD=$(BUILD) tests/bench/boot/run

$(BUILD)/tests/clock: $(BUILD)/musl/tests/bench/boot/clock.o
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(MUSL_LDFLAGS) -s -o $@ $^

$(BUILD)/tests/null.initrd $(BUILD)/tests/clock.initrd: $(BUILD)/tests/clock $(BUILD)/init $(BUILD)/initrd
	$(Q)rm -rf $@.d && mkdir -p $@.d/dev && cp $< $@.d/init && : >$@
	$(Q)$(if $(findstring clock.initrd,$@),cp $(BUILD)/init $@.d/init.stick; cp $(BUILD)/initrd $@)
	$(Q)(cd $@.d && find . -mindepth 1 -printf '%P\0' | sort -z | \
		cpio --quiet -0oH newc --owner=0:0) | zstd -q -19 >>$@ && rm -r $@.d

$(BUILD)/tests/%.img: image/mkimage $(wildcard image/loader/*) $(BUILD)/tests/%.initrd $(BUILD)/boot-debs.stamp
	$(Q)image/mkimage $@ $(BOOT_DEBS) $(BUILD)/tests/$*.initrd $(STICK_DATA_MIB)
