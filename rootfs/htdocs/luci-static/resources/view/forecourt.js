'use strict';
'require view';
'require fs';
'require rpc';
'require uci';
'require poll';

// How the gateway is, in LuCI, and the way to the admin page, which has accounts of its own. Asked is what the ACL names and nothing else:
// procd, and two calls of the command line that only look. Who may not read the configuration (it holds secrets, and our ACL grants nothing of it) gets
// the way to the port that is preset.
const REFRESH_S = 10, ALARMS_MAX = 10;

const chinese = {
	'Connectors, orders, prices and configuration of the charging station are run from a page of their own.': '充电站的接口、订单、电价和配置在独立页面中管理。',
	'Service': '服务', 'running': '运行中', 'not running': '未运行', 'Version': '版本', 'Clock': '时钟', 'set': '已校准', 'not set': '未校准',
	'Connectors': '接口', 'Orders': '订单', 'Alarms': '告警', 'none': '无', 'unknown': '未知', 'Platforms': '平台', 'Page': '管理页面',
	'open': '未结束', 'waiting': '待推送', 'disputed': '有争议', 'linked': '已连接', 'not linked': '未连接',
	'charging': '充电', 'occupied': '占用', 'idle': '空闲', 'reserved': '预约', 'fault': '故障', 'offline': '离线',
	'The admin page is switched off in /etc/config/forecourt (section admin, option enabled).': '管理页面已在 /etc/config/forecourt 中关闭（admin 段的 enabled 选项）。',
	'It listens on 127.0.0.1 only: set option address in section admin to reach it from elsewhere.': '仅监听 127.0.0.1：请设置 admin 段的 address 选项以便从其他地址访问。',
	'and %d more': '另有 %d 条',
	'The service does not run: /etc/init.d/forecourt start, and logread -e forecourt says why it ended.': '服务未运行：执行 /etc/init.d/forecourt start；原因见 logread -e forecourt。',
	'The service runs but does not answer yet: %s': '服务已启动但尚未应答：%s'
};

const isChinese = /^zh/i.test(document.documentElement.lang || '');
const say = (text) => isChinese && chinese[text] || text;

const callServices = rpc.declare({ object: 'service', method: 'list', params: [ 'name' ], expect: { '': {} } });

/** What the command line prints as JSON; {reason} when it can't. */
function ask(command) {
	return fs.exec('/usr/bin/forecourt', [ command, '--json' ], { LANG: isChinese ? 'zh_CN.UTF-8' : 'C' }).then(function(result) {
		if (result.code !== 0)
			return { reason: (result.stderr || result.stdout || say('unknown')).trim() };
		return { value: JSON.parse(result.stdout) };
	}).catch(function(error) {
		return { reason: error.message };
	});
}

function runs(services) {
	const instances = Object.values((services.forecourt || {}).instances || {});

	return instances.some((instance) => instance.running);
}

/** "12: 3 charging, 9 idle"; what is 0 isn't named. */
function counts(of, names) {
	return names.filter((name) => of[name] > 0).map((name) => `${of[name]} ${say(name)}`).join(isChinese ? '，' : ', ');
}

function row(name, content) {
	return E('tr', { 'class': 'tr' }, [
		E('td', { 'class': 'td left', 'width': '25%' }, [ say(name) ]),
		E('td', { 'class': 'td left' }, Array.isArray(content) ? content : [ content ])
	]);
}

function alarmRows(answer) {
	if (!answer.value)
		return say('unknown');
	const alarms = answer.value.alarms || [];
	if (!alarms.length)
		return say('none');
	const lines = alarms.slice(0, ALARMS_MAX).map((alarm) =>
		E('div', {}, [ `${new Date(alarm.since * 1000).toLocaleString()} ${alarm.name || alarm.object || ''}: ${alarm.text || alarm.cause || alarm.kind}` ]));
	if (alarms.length > ALARMS_MAX)
		lines.push(E('div', {}, [ say('and %d more').replace('%d', alarms.length - ALARMS_MAX) ]));
	return lines;
}

/** The link to the page, or why there is none. */
function pageLink() {
	const sections = uci.sections('forecourt') || [], admin = (uci.sections('forecourt', 'admin') || [])[0] || {};
	const here = window.location.hostname, host = here.includes(':') && !here.startsWith('[') ? `[${here}]` : here;
	const address = `${admin.tls === '0' ? 'http' : 'https'}://${host}:${admin.port || '8443'}/`;

	if (admin.enabled === '0')
		return say('The admin page is switched off in /etc/config/forecourt (section admin, option enabled).');
	const link = [ E('a', { 'class': 'btn cbi-button cbi-button-action', 'href': address, 'target': '_blank', 'rel': 'noopener noreferrer' }, [ address ]) ];
	if ((admin.address || '127.0.0.1') === '127.0.0.1' && sections.length > 0)
		link.push(E('div', {}, [ say('It listens on 127.0.0.1 only: set option address in section admin to reach it from elsewhere.') ]));
	return link;
}

function table(services, status, alarms) {
	const isUp = runs(services), rows = [ row('Service', say(isUp ? 'running' : 'not running')) ];

	if (status.value) {
		const s = status.value, all = s.connectors.all;
		const named = counts(s.connectors, [ 'charging', 'occupied', 'idle', 'reserved', 'fault', 'offline' ]);
		rows.push(row('Version', s.version));
		rows.push(row('Clock', `${s.time} (${say(s.clock_trusted ? 'set' : 'not set')})`));
		rows.push(row('Connectors', named ? `${all}: ${named}` : `${all}`));
		rows.push(row('Orders', counts(s.orders, [ 'open', 'waiting', 'disputed' ]) || say('none')));
		rows.push(row('Platforms', s.platforms.length ? s.platforms.map((p) =>
			E('div', {}, [ `${p.name}: ${say(p.linked ? 'linked' : 'not linked')}` ])) : say('none')));
		rows.push(row('Alarms', alarmRows(alarms)));
	} else if (isUp) {
		rows.push(row('Alarms', say('The service runs but does not answer yet: %s').replace('%s', () => status.reason)));
	} else {
		rows.push(row('Alarms', say('The service does not run: /etc/init.d/forecourt start, and logread -e forecourt says why it ended.')));
	}
	rows.push(row('Page', pageLink()));
	return E('table', { 'class': 'table', 'id': 'forecourt-state' }, rows);
}

function look() {
	return Promise.all([ L.resolveDefault(callServices('forecourt'), {}), ask('status'), ask('alarms') ]);
}

return view.extend({
	load: function() {
		return L.resolveDefault(uci.load('forecourt'), null).then(look);
	},

	render: function(found) {
		const place = E('div', { 'class': 'cbi-section' }, [ table(...found) ]);

		poll.add(() => look().then((now) => place.replaceChildren(table(...now))), REFRESH_S);
		return E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ 'Forecourt' ]),
			E('p', {}, [ say('Connectors, orders, prices and configuration of the charging station are run from a page of their own.') ]),
			place
		]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
