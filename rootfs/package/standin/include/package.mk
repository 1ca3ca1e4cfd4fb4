# In place of OpenWrt's package.mk: runs a recipe's own install section, and says what the recipe says about its packages. A recipe that
# lacks something that OpenWrt wants fails here.
#   make -C RECIPE TOPDIR=... standin-names                        the packages of the recipe
#   make -C RECIPE TOPDIR=... META=DIR standin-meta                a file for each thing said: DIR/PACKAGE/{version,depends,userid,...}
#   make -C RECIPE TOPDIR=... DESTDIR=DIR standin-install-PACKAGE  Package/PACKAGE/install
#   make -C RECIPE TOPDIR=... standin-build                        Build/Prepare, Build/Configure and Build/Compile
.PHONY: standin-names standin-meta standin-build
standin-names standin-meta standin-build::
# OpenWrt's own order: package.mk sets its presets before the recipe's sections are read.
Build/Prepare   =
Build/Configure =

# What one package says; the variables are set by its section.
standin_said := TITLE SECTION CATEGORY SUBMENU DEPENDS USERID URL PKGARCH BUILDONLY CONFLICTS PROVIDES VARIANT
# Sections of text beside the one of variables.
standin_texts := description conffiles config preinst postinst prerm postrm

define standin_check
$(foreach v,TITLE SECTION CATEGORY,$(if $(strip $($(v))),,$(error package $(1): $(v) is empty)))
$(foreach v,PKG_NAME PKG_VERSION PKG_RELEASE PKG_LICENSE PKG_MAINTAINER,$(if $(strip $($(v))),,$(error package $(1): $(v) is empty)))
$(if $(strip $(Package/$(1)/description)),,$(error package $(1): no description))
$(if $(strip $(Package/$(1)/install)$(BUILDONLY)),,$(error package $(1): no install section, and not BUILDONLY))
endef

define BuildPackage
$(foreach v,$(standin_said),$(eval $(v) :=))
$(eval PKGARCH := any)
$(eval $(Package/$(1)))
$(eval $(call standin_check,$(1)))
$(foreach v,$(standin_said),$(eval standin_$(1)_$(v) := $(strip $($(v)))))
standin-names:: ; @echo $(1)
standin-meta::
	$$(shell mkdir -p $$(META)/$(1))
	$$(file >$$(META)/$(1)/version,$(PKG_VERSION)-r$(PKG_RELEASE))
	$$(file >$$(META)/$(1)/license,$(PKG_LICENSE))
	$$(file >$$(META)/$(1)/maintainer,$(PKG_MAINTAINER))
	$$(file >$$(META)/$(1)/source,$(PKG_NAME))
	$$(file >$$(META)/$(1)/build_depends,$(PKG_BUILD_DEPENDS))
	$$(file >$$(META)/$(1)/config_depends,$(PKG_CONFIG_DEPENDS))
	$$(foreach v,$(standin_said),$$(file >$$(META)/$(1)/$$(shell echo $$(v) | tr A-Z a-z),$$(standin_$(1)_$$(v))))
	$$(foreach t,$(standin_texts),$$(file >$$(META)/$(1)/$$(t),$$(Package/$(1)/$$(t))))
standin-install-$(1):
	$$(call Package/$(1)/install,$$(DESTDIR))
standin-build::
	@mkdir -p $$(PKG_BUILD_DIR)
	$$(Build/Prepare)
	$$(Build/Configure)
	$$(Build/Compile)
endef
