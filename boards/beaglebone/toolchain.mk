arch := armv7
include boards/musl.mk
