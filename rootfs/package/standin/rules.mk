# In place of OpenWrt's rules.mk: what a recipe of ours uses of it, nothing else. TOPDIR is this folder.
INCLUDE_DIR  := $(TOPDIR)/include
INSTALL_DIR  := install -d -m0755
INSTALL_BIN  := install -m0755
INSTALL_DATA := install -m0644
INSTALL_CONF := install -m0600
CP           := cp -fpR
LN           := ln -sf
SED          := sed -i -e
BUILD_DIR    ?= $(CURDIR)
PKG_BUILD_DIR ?= $(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)
