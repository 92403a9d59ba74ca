# init: the stick's first program. main.c is only that; the rest is linked into unit tests too.
INIT_SRC := $(filter-out rootfs/init/main.c,$(wildcard rootfs/init/*.c))
INIT_BASE := $(addprefix injector/base/,err.c mem.c reader.c file.c clock.c)

$(BUILD)/init: $(patsubst %.c,$(BUILD)/musl/%.o,rootfs/init/main.c $(INIT_SRC) $(INIT_BASE))
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) $(MUSL_LDFLAGS) -s -o $@ $^
