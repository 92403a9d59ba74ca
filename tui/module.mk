TUI_SRC += $(wildcard tui/*.c)
