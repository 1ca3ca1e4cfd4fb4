# As boards/sources.sh changes Debian's source, where it says why; a test compares both.
/LEN64_8:$/,/LEN64_4:$/ {
	s/rx_packet_length = 0;/rx_packet_length = c ? 0x7fffffff : 0;/
	/rx_packet_length |= /a #else\n\t\tif (c)\n\t\t\twsi->ws->rx_packet_length = 0x7fffffff;
}
