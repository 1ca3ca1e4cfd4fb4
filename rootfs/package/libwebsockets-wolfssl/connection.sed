# As boards/sources.sh changes the libwebsockets of Debian, where it says why. Here the wish list is freed already, and a host is let go of under its lock.
/^lws_client_connect_via_info(/,$ s/^bail:$/&\
	if (wsi->a.vhost) {\
		lws_bind_protocol(wsi, NULL, __func__);\
		lws_context_lock(i->context, __func__);\
		__lws_vhost_unbind_wsi(wsi);\
		lws_context_unlock(i->context);\
	}/
