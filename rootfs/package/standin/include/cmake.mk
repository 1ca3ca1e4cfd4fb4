# In place of OpenWrt's cmake.mk: the recipes only add to CMAKE_OPTIONS.
