/* Error frames: what the kernel's drivers tell of a controller, linux/can/error.h. */
#include <linux/can/error.h>

#include "bus/can_port.h"

static int controller_state(const struct can_frame *frame)
{
	uint8_t status = frame->data[1];

	if (status & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE))
		return CAN_PASSIVE;
	if (status & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING))
		return CAN_WARNING;
	return status & CAN_ERR_CRTL_ACTIVE ? CAN_ACTIVE : -1;
}

int can_error_read(const struct can_frame *frame, struct can_stats *stats, int *restarted)
{
	int state = -1;

	stats->errors++;
	stats->lost_arbitration += (frame->id & CAN_ERR_LOSTARB) != 0;
	stats->protocol += (frame->id & CAN_ERR_PROT) != 0;
	stats->transceiver += (frame->id & CAN_ERR_TRX) != 0;
	stats->no_ack += (frame->id & CAN_ERR_ACK) != 0;
	stats->bus_error += (frame->id & CAN_ERR_BUSERROR) != 0;
	stats->tx_timeout += (frame->id & CAN_ERR_TX_TIMEOUT) != 0;
	if (frame->id & CAN_ERR_CRTL) {
		stats->overflows += (frame->data[1] & (CAN_ERR_CRTL_RX_OVERFLOW | CAN_ERR_CRTL_TX_OVERFLOW)) != 0;
		state = controller_state(frame);
	}
	/* Drivers from before CAN_ERR_CNT fill the counters without saying so: zero is then no news. */
	if (frame->id & CAN_ERR_CNT || frame->data[6] || frame->data[7]) {
		stats->tx_errors = frame->data[6];
		stats->rx_errors = frame->data[7];
	}
	*restarted = (frame->id & CAN_ERR_RESTARTED) != 0;
	if (*restarted)
		state = CAN_ACTIVE;
	if (frame->id & CAN_ERR_BUSOFF)
		state = CAN_BUS_OFF;
	return state;
}
