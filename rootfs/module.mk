# The third-party parts of the stick.
.PHONY: packages
packages: $(SYSROOT)/.complete
