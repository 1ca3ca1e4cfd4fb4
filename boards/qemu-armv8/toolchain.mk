arch := aarch64
include boards/musl.mk
