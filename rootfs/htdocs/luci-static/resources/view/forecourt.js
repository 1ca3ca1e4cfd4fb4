'use strict';
'require view';
'require uci';

// The way from LuCI to the admin page, which has accounts of its own. Who may not read the configuration (it holds secrets, and
// our ACL grants nothing of it) gets the way to the port that is preset.
return view.extend({
	load: function() {
		return L.resolveDefault(uci.load('forecourt'), null);
	},

	render: function() {
		const admin = (uci.sections('forecourt', 'admin') || [])[0] || {};
		const scheme = admin.tls === '0' ? 'http' : 'https';
		const here = window.location.hostname;
		const local = (admin.address || '127.0.0.1') === '127.0.0.1' && uci.sections('forecourt').length > 0;
		const address = `${scheme}://${here.includes(':') && !here.startsWith('[') ? `[${here}]` : here}:${admin.port || '8443'}/`;

		if (admin.enabled === '0')
			return E('p', {}, [ _('The admin page is switched off in /etc/config/forecourt (section admin, option enabled).') ]);
		return E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ 'Forecourt' ]),
			E('p', {}, [ _('Connectors, orders, prices and configuration of the charging station are run from a page of their own.') ]),
			E('p', {}, [ E('a', { 'class': 'btn cbi-button cbi-button-action', 'href': address, 'target': '_blank', 'rel': 'noopener noreferrer' }, [ address ]) ]),
			local ? E('p', {}, [ _('It listens on 127.0.0.1 only: set option address in section admin to reach it from elsewhere.') ]) : ''
		]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
