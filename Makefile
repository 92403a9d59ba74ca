# odjstick: one non-recursive make. `make help` explains the targets.
#
# Two toolchains build the same sources:
#   musl   the product: build/odjstick, static, against rootfs/packages' sysroot
#   host   unit tests, fuzz targets and benchmarks: gcc/clang + Debian's -dev packages, sanitizers
#
# Every folder has a module.mk that adds to the lists below. BUILD may point anywhere.

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

BUILD ?= build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-8s %s\n' '$(1)' '$(2)'

.DEFAULT_GOAL := all

INJECTOR_SRC :=
CLI_SRC :=
TUI_SRC :=
UNIT_TESTS :=
HELP :=

include $(wildcard injector/*/module.mk) tui/module.mk
include rootfs/module.mk rootfs/init/module.mk image/module.mk tests/module.mk

WARN := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes $(if $(CI),-Werror)
VERSION := 0.1
CPP_COMMON := -D_GNU_SOURCE -DODJSTICK_VERSION='"$(VERSION)"' -Iinjector -I. -ffile-prefix-map=$(CURDIR)=.

# --- the product (musl) ---------------------------------------------------------------------------

SYSROOT = $(BUILD)/sysroot
MUSL_CC ?= musl-gcc
MUSL_CFLAGS = -std=c17 -Os -g0 -ffunction-sections -fdata-sections -fstack-protector-strong \
	-fno-asynchronous-unwind-tables $(WARN) $(CPP_COMMON) -isystem $(SYSROOT)/include \
	-DNCURSES_WIDECHAR=1 -idirafter $(SYSROOT)/kernel-headers
MUSL_LDFLAGS = -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -L$(SYSROOT)/lib
# injector/base/huge_pages.c says why; -u, because the library that it is in comes before libsodium.
ODJSTICK_LDFLAGS = -Wl,--wrap=mmap,-u,__wrap_mmap
MUSL_LIBS = -lpanelw -lmenuw -lformw -lncursesw -larchive -lzstd -llzma -lz -lntfs-3g -lblkid \
	-lexpat -lcsv -ljansson -lqrencode -lsodium

MUSL_OBJ = $(patsubst %.c,$(BUILD)/musl/%.o,$(INJECTOR_SRC) $(CLI_SRC) $(TUI_SRC))
MUSL_LIB_OBJ = $(patsubst %.c,$(BUILD)/musl/%.o,$(INJECTOR_SRC))

$(BUILD)/musl/%.o: %.c $(SYSROOT)/.complete
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libinjector.a: $(MUSL_LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

$(BUILD)/odjstick: $(filter-out $(MUSL_LIB_OBJ),$(MUSL_OBJ)) $(BUILD)/libinjector.a
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) $(MUSL_LDFLAGS) $(ODJSTICK_LDFLAGS) -s -o $@ $^ $(MUSL_LIBS)

# --- host objects: tests --------------------------------------------------------------------------

HOST_CC ?= gcc
SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined
HOST_CFLAGS = -std=c17 -O1 -g $(SAN) $(WARN) $(CPP_COMMON)
HOST_LIBS = -lpanelw -lmenuw -lformw -lncursesw -ltinfo -larchive -lntfs-3g -lblkid -lexpat -lcsv \
	-ljansson -lqrencode -lsodium

HOST_LIB_OBJ = $(patsubst %.c,$(BUILD)/host/%.o,$(INJECTOR_SRC) $(TUI_SRC) $(INIT_SRC))

$(BUILD)/host/%.o: %.c | debs-test
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/libinjector.a: $(HOST_LIB_OBJ)
	$(Q)rm -f $@ && ar rcsD $@ $^

# The command with sanitizers, for command line tests that want them.
$(BUILD)/host/odjstick: $(patsubst %.c,$(BUILD)/host/%.o,$(CLI_SRC)) $(BUILD)/host/libinjector.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CC) $(SAN) -o $@ $^ $(HOST_LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/host/tests/unit/%.o $(BUILD)/host/libinjector.a
	$(call say,HOSTLD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(SAN) -o $@ $^ -lcmocka $(HOST_LIBS)

# --- targets --------------------------------------------------------------------------------------

.PHONY: all help clean format host
all: $(BUILD)/odjstick $(BUILD)/odjstick.img

host: $(BUILD)/host/odjstick

define HELP_TEXT
odjstick

  make                build/odjstick (static command) and build/odjstick.img (the stick)
  make demo           the whole job once: lab, stick, QEMU, wizard, audit   (INTERACTIVE=1: you drive)
  make test           every test; ends with the counts
  make image          build/odjstick.img   (UKI_KEY=KEY.pem UKI_CERT=CERT.pem: signed with your own key)
  make sources        build/sources: the source of everything on the stick
  make packages       only the third-party parts of the stick, from Debian sources
  make test-crash     every power cut and every fault of a whole apply and undo   (test-cycles,
                      test-mutants, test-powercut: more of the kind; each takes an hour or so)
  make test-boot-all  every row of the boot matrix in QEMU      make test-hive-long  20,000 random edits
  make test-domain    a domain controller accepts the join      make test-wine       the first-boot script
  make fuzz-NAME      one target of tests/fuzz (FUZZ_SECONDS=60)
  make bench-apply    one apply against libguestfs doing the same
  make bench-boot     from power-on to the first screen
  make host           the command with sanitizers, against Debian's -dev packages
  make lint           warnings as errors, clang-tidy, clang-format, shellcheck, mandoc, check-house
                      (LINT_FILES='FILE.c ...' narrows clang-tidy, the slow part)
  make format         clang-format in place
  make clean          remove build/ (the package cache stays outside the tree)

  BUILD=DIR           build somewhere else        V=1   show commands        CI=1   warnings are errors
endef
export HELP_TEXT
help:
	@printf '%s\n' "$$HELP_TEXT"

clean:
	$(Q)rm -rf $(BUILD)

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

-include $(shell find $(BUILD)/musl $(BUILD)/host -name '*.d' 2>/dev/null)
