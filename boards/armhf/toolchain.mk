# Debian's own cross compiler. The sysroot with the libraries is built by the packaging work; until then this board
# compiles (make BOARD=armhf objects) but does not link.
CC = arm-linux-gnueabihf-gcc
AR = arm-linux-gnueabihf-ar
