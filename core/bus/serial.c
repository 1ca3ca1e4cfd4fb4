#include "bus/serial.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <linux/serial.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/wire.h"

enum { MICROS = 1000000, LOOK_EVERY_US = 100, PATIENCE_US = 100000 };
/* linux/serial_reg.h's UART_LSR_TEMT as TIOCSERGETLSR gives it: the shift register is empty too. */
enum { TRANSMITTER_EMPTY = 1 };

static void rest(int64_t us)
{
	const struct timespec time = {.tv_sec = us / MICROS, .tv_nsec = (long)(us % MICROS * 1000)};

	if (us > 0)
		(void)nanosleep(&time, NULL);
}

static unsigned milliseconds(int us)
{
	return ((unsigned)us + 999) / 1000;
}

/* What the board or an earlier set-up chose about RTS's sense stays; a driver without any gets the usual one. */
static int set_kernel_mode(int fd, const struct bus_line_config *c, int on)
{
	struct serial_rs485 mode;
	const unsigned senses = SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND;

	memset(&mode, 0, sizeof(mode));
	if (ioctl(fd, TIOCGRS485, &mode) < 0)
		return -1;
	if (!on && !(mode.flags & SER_RS485_ENABLED))
		return 0;
	mode.flags = on ? mode.flags | SER_RS485_ENABLED : mode.flags & ~(unsigned)SER_RS485_ENABLED;
	if (on && ((mode.flags & senses) == 0 || (mode.flags & senses) == senses))
		mode.flags = (mode.flags & ~senses) | SER_RS485_RTS_ON_SEND;
	/* The kernel counts these in milliseconds. */
	if (on && c->rts_before_us)
		mode.delay_rts_before_send = milliseconds(c->rts_before_us);
	if (on && c->rts_after_us)
		mode.delay_rts_after_send = milliseconds(c->rts_after_us);
	return ioctl(fd, TIOCSRS485, &mode) < 0 ? -1 : 0;
}

static int set_rts(int fd, int on)
{
	int line = TIOCM_RTS;

	return ioctl(fd, on ? TIOCMBIS : TIOCMBIC, &line) < 0 ? -1 : 0;
}

enum serial_turn serial_set_rs485(int fd, const struct bus_line_config *c, int say)
{
	if (c->rs485 == BUS_RS485_OFF) {
		(void)set_kernel_mode(fd, c, 0);
		return SERIAL_TURN_NONE;
	}
	if (!set_kernel_mode(fd, c, 1)) {
		if (say)
			log_info("bus: %s: %s: RS-485 by the driver", c->name, c->device);
		return SERIAL_TURN_KERNEL;
	}
	if (c->rs485 == BUS_RS485_AUTO) {
		if (say)
			log_info(
			    "bus: %s: %s: the driver has no RS-485 mode (%s), as is normal for an adapter that turns "
			    "round by itself",
			    c->name, c->device, strerror(errno));
		return SERIAL_TURN_NONE;
	}
	if (!set_rts(fd, 0)) {
		if (say)
			log_info("bus: %s: %s: the driver has no RS-485 mode: RTS is moved by us", c->name, c->device);
		return SERIAL_TURN_RTS;
	}
	if (say)
		log_warning("bus: %s: %s: rs485 on: the driver has neither an RS-485 mode nor RTS (%s): sent without",
			    c->name, c->device, strerror(errno));
	return SERIAL_TURN_NONE;
}

/* write() returns when the kernel has the bytes, long before they are on the wire. */
static void wait_until_sent(int fd, int64_t wire_us)
{
	int64_t end = clock_mono_us() + wire_us + PATIENCE_US;
	unsigned state = 0;

	rest(wire_us - LOOK_EVERY_US);
	while (clock_mono_us() < end) {
		if (ioctl(fd, TIOCSERGETLSR, &state) < 0) {
			(void)tcdrain(fd);
			return;
		}
		if (state & TRANSMITTER_EMPTY)
			return;
		rest(LOOK_EVERY_US);
	}
}

int serial_send_by_rts(int fd, const struct bus_line_config *c, const uint8_t *bytes, size_t len)
{
	if (set_rts(fd, 1))
		return -1;
	rest(c->rts_before_us);
	ssize_t n = write(fd, bytes, len);
	int code = n < 0 ? errno : EIO;
	if (n > 0)
		wait_until_sent(fd, wire_bytes_us(c, (size_t)n));
	rest(c->rts_after_us);
	/* In any case: a transmitter that stays on blocks the line for everyone. */
	if (set_rts(fd, 0))
		return -1;
	errno = code;
	return n == (ssize_t)len ? 0 : -1;
}
