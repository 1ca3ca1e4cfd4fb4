/* Configuration: /etc/config/forecourt (UCI format) read strictly into typed structs.
 *
 * Every mistake of a file is found in one reading, each as "file:line: section.option: what is wrong and what is
 * allowed"; a file with a mistake gives no configuration at all. Cross references are resolved to indices.
 * All text lives in the configuration's arena. Text options that are not set are "" (never NULL); the schema
 * (config/schema.c) is the one place for names, types, ranges and defaults. */
#ifndef FC_CONFIG_CONFIG_H
#define FC_CONFIG_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"

#define CONFIG_CONTROL_SOCKET "/var/run/forecourt/control.sock" /* default; also where the command line looks */

/* config gateway (exactly one) */
struct config_gateway {
	const char *name; /* section */
	const char *
	    operator_id; /* ours, 9 characters 0-9 A-Z (18 for a whole credit code is allowed); "" = not known yet, while
				       there is neither a charger nor an enabled platform */
	const char *data_dir;       /* database; default /var/lib/forecourt */
	const char *lua_dir;        /* default /usr/share/forecourt/lua */
	const char *key_dir;        /* of the page's own certificate (control/self_signed.h); default /etc/forecourt */
	int log_level;              /* enum log_level; default from Kconfig */
	int log_syslog;             /* bool, default 0 */
	const char *control_socket; /* where the command line reaches us, "" = nowhere; default CONFIG_CONTROL_SOCKET */
	/* Limits of every Lua state and call; loading a file may take ten times the steps and the time. */
	int lua_memory_kb; /* 512..32768, default 4096 */
	int lua_steps;     /* 10 000..100 000 000 VM instructions, default 5 000 000 */
	int lua_time_ms;   /* 10..2000, default 200 */
	int keep_journal;  /* sysupgrade keeps the orders (lib/upgrade/forecourt.sh); default 1 */
	int record_kb;     /* memory for the last messages (forecourt lua record); 0 = none; default 256 */
	const char *
	    qr_suffix; /* what follows the operator in the connectors' QR codes: "" or "/..." or "?..." (protocol.md 4.1) */
	int trace_kb;     /* memory for the last frames of all lines (forecourt bus trace); 0 = none; default 64 */
	int history_days; /* so long the curves of charges are kept, a value a minute; 0 = not at all; default 30 */
	int orders_days; /* so long after its end an order is kept that all is done with; 0 = while there is room; default 400 */
	int orders_share; /* percent of its partition that the database may take, 1..90; 0 = all; default 50 */
	int log_kb;       /* memory for the last lines of the log (forecourt log); 0 = none; default 64 */
	const char
	    *watchdog;  /* device that restarts the box when the gateway hangs: /dev/watchdog; "" = none (default) */
	int watchdog_s; /* 15..300, default 30: after that time without progress; loop/watchdog.h */
};

/* config listen (any number): where platforms call us */
struct config_listen {
	const char *name;
	const char *address;           /* default "" = all */
	int port;                      /* 1..65535 */
	const char *certificate, *key; /* PEM files; required unless tls is 0 */
	int tls;                       /* bool, default 1 */
	const char *client_ca;         /* PEM file */
	int client_certificate;        /* enum http_client_cert by word: none, optional, required; default none */
	int max_body_kb;               /* 4..4096, default 256 */
	int max_connections;           /* 1..1024, default 64 */
	int max_connections_peer;      /* 1..1024, default 16 */
};

/* config admin (at most one) */
struct config_admin {
	const char *name;
	int enabled;                   /* bool, default 1 */
	const char *address;           /* default 127.0.0.1 */
	int port;                      /* default 8443 */
	const char *certificate, *key; /* PEM files; both "" = one that the box makes (gateway key_dir) */
	int tls;                       /* bool, default 1 */
	const char *www;               /* folder of the page; default /usr/share/forecourt/www */
	const char *user;              /* default admin */
	const char *password_hash;     /* control/password.h; "" = the page has its own accounts */
	int max_viewers;               /* 0..1000, default 32: pages open at a time; 0 = none is kept live */
};

/* config station: protocol.md 2.1 StationInfo */
struct config_station {
	const char *name;
	const char *station_id;                /* 1..20 characters */
	const char *equipment_owner_id;        /* default: the gateway's operator_id */
	const char *station_name;              /* required */
	const char *country_code;              /* default CN */
	const char *area_code;                 /* required, digits 6..20 */
	const char *address;                   /* required */
	const char *station_tel, *service_tel; /* service_tel required */
	int station_type;                      /* 1, 50, 100..106, 255; default 1 */
	int station_status;                    /* 0, 1, 5, 6, 50; default 50 */
	int park_nums;                         /* 0..100000, default 0 */
	int32_t lng_e6, lat_e6;                /* required; degrees x 10^6, -180..180 and -90..90 */
	int construction;                      /* 1..15, 255; default 255 */
	const char *site_guide, *match_cars, *park_info, *busine_hours, *electricity_fee, *service_fee, *park_fee,
	    *payment, *remark;
	int support_order;  /* bool, default 0 */
	const char *policy; /* lua/policies/NAME.lua; "" = a charge costs nothing */
	int local_start;    /* a charge that nobody ordered: allow (default), or authorised: stopped unless a platform
	                     vouches for its car or card */
	const char **pictures;
	int picture_count; /* list picture */
};

enum config_bus_kind { CONFIG_BUS_TCP, CONFIG_BUS_RTU, CONFIG_BUS_CAN };
/* auto: Modbus/TCP on tcp, RTU on rtu */
enum config_framing {
	CONFIG_FRAMING_AUTO,
	CONFIG_FRAMING_TCP,
	CONFIG_FRAMING_RTU,
	CONFIG_FRAMING_ASCII,
	CONFIG_FRAMING_DLT645
};
enum config_rs485 { CONFIG_RS485_AUTO, CONFIG_RS485_ON, CONFIG_RS485_OFF };

/* config bus: one serial line, one Modbus TCP endpoint or one CAN bus; no two with the same device or host:port */
struct config_bus {
	const char *name;
	int kind;           /* option kind: tcp (a connection), rtu (a serial port) or can */
	int framing;        /* tcp, rtu: how frames look on it; default auto */
	const char *host;   /* tcp: required */
	int port;           /* tcp: default 502 */
	const char *device; /* rtu, can: required. can: an interface (can0), replay:FILE or replay-fast:FILE (a candump
				    log), datagram:OWN,PEER (two paths of UNIX sockets) */
	int baud;           /* rtu: 1200..921600, default 9600 */
	int data_bits;      /* 7..8, default 8; 7 with framing ascii only */
	int stop_bits;      /* 1..2, default 1 */
	int parity;         /* 'N', 'E' or 'O'; option parity none, even, odd; default none */
	int rs485;          /* rtu: auto (default), on, off */
	int rts_before_us;  /* 0..100000, default 0 */
	int rts_after_us;   /* 0..100000, default 0 */
	int connect_timeout_ms;  /* 100..60000, default 3000 */
	int reconnect_ms;        /* tcp: 1000..60000, default 5000 */
	int response_timeout_ms; /* 50..30000, default 1000 */
	int byte_timeout_ms;     /* 5..5000, default 50 */
	int gap_ms;              /* 0..5000, default 0 */
	int wake_ms;             /* 0..3600000, default 0 */
	int echo;                /* every request comes back; not on Modbus/TCP */
	int any_unit;            /* an answer's unit is not looked at; Modbus/TCP only */
	int release_ms;          /* 0..60000, default 0: the connection is kept; bus.h */
	int bitrate;             /* can: 10000..1000000 bit/s, default 250000 */
	int bring_up;            /* can: bool, default 1: the gateway sets the bit rate and brings the interface up */
	int restart_ms;          /* can: 0..60000, default 100: after bus-off; 0 = never by itself */
	int listen_only;         /* can: bool, default 0; a bus of listeners only is opened so in any case */
};

/* config charger: protocol.md 2.1 EquipmentInfo */
struct config_charger {
	const char *name;
	int station;              /* option station: section name of a station; index here */
	int bus;                  /* option bus */
	int unit;                 /* 0..255, default 1; unique on its bus */
	const char *profile;      /* required: lua/profiles/NAME.lua; [a-z0-9_-] */
	const char *equipment_id; /* required, 1..23 */
	int poll_ms;              /* 100..60000, default 1000 */
	const char *manufacturer_id, *manufacturer_name, *equipment_model, *production_date, *equipment_name;
	int equipment_type; /* 1..5, 255; default 1 */
	int power_w;        /* 0..2000000, default: the sum of its connectors' */
	const char
	    *meter_address; /* of a DL/T 645 meter: up to 12 digits; "" = any, for one that is alone on its bus */
};

/* config device: what is on a bus and is no charging equipment of its own: a meter, a listener, power modules */
struct config_device {
	const char *name;
	int bus;                   /* option bus */
	int unit;                  /* 0..255, default 1; unique on its bus */
	const char *profile;       /* required */
	int poll_ms;               /* 100..60000, default 1000 */
	const char *meter_address; /* as a charger's */
};

/* Where a connector's values come from beside its charger: the section of a device or charger, and which of its connectors. */
struct config_source {
	const char *name; /* "" = there is none */
	int number;       /* 1..16 */
};

/* config connector: protocol.md 2.1 ConnectorInfo */
struct config_connector {
	const char *name;
	int charger;              /* option charger */
	int number;               /* 1..16, default 1: which one of the charger; unique in it */
	const char *connector_id; /* required, 1..26, unique in the file */
	const char *connector_name, *park_no;
	int connector_type;               /* 1..6, 255; default 4 */
	int voltage_upper, voltage_lower; /* V, 0..2000; default 750 and 200; lower <= upper */
	int current_a;                    /* 0..2000, default 250 */
	int power_w;                      /* required, 1..2000000 */
	int national_standard;            /* 1..4, default 2 */
	const char *meter, *bms; /* option meter, bms: 'NAME', or 'NAME:2' of one that has several; "" = none */
	struct config_source meter_source, bms_source; /* what they say */
};

/* One set of secrets (protocol.md 1.7); "" where not set. */
struct config_keys {
	const char *operator_secret;
	const char *data_secret;    /* exactly 16 characters */
	const char *data_secret_iv; /* exactly 16; default = data_secret never assumed: required */
	const char *sig_secret;     /* 1..64 */
};

/* config platform: one upstream, its own world (DESIGN.md rule 7) */
struct config_platform {
	const char *name;
	int enabled;             /* bool, default 1 */
	const char *operator_id; /* required: the platform's own, 9 or 18 */
	const char *url;         /* required: http(s)://host[:port][/prefix], e.g. https://host/evcs/v20160701 */
	int listen;              /* option listen: section of where it calls us; -1 = it does not */
	const char *path;        /* our own prefix for it, default /evcs/v20160701; unique per listen unless the
	                            operator_ids differ */
	const char *mapping;     /* lua/operators/NAME.lua, default base */
	int exchange; /* option exchange: platform through which it is reached (central authentication): tokens
	                            are that one's, in both directions; -1 = each logs in at the other itself */
	int mode;     /* enum by word: async (default), sync */
	struct config_keys ours;   /* our_operator_secret ...: issued by us, for the methods we implement */
	struct config_keys theirs; /* their_operator_secret ...: issued by them, for the methods they implement */
	const char *ca, *certificate, *key; /* TLS towards them */
	int verify;                         /* bool, default 1 */
	const char *client_name;            /* common name that its client certificate must have; "" = any */
	const int *stations;
	int station_count; /* list station; none = all */
	/* What protocol.md section 5 leaves open; the tolerant choice is the default. */
	int check_response_sig; /* option response_sig: strict (always), success (only when Ret is 0; default), off */
	int replay_window_s;    /* 0..86400, 0 = time stamps are not judged (default) */
	int keep_old_tokens;    /* bool, default 1 */
	int token_lifetime_s;   /* 60..604800, default 7200 */
	int error_data;         /* option error_data: empty (default), null, absent, object (encrypted {}) */
	int missing_token_ret;  /* 4002 (default) or 4003 */
	int page_size_max;      /* 1..1000, default 100 */
	int item_size_is_page;  /* bool, default 0 (field variation 12) */
	int token_any_case;     /* bool, default 0: our tokens may come back in other case (field variation 12) */
	int ret_as_text;        /* bool, default 0: our answers say "0" instead of 0 (field variation 2) */
	int ascii_json;         /* bool, default 0: beyond ASCII as \uXXXX in what we send (field variation 26) */
	int request_timeout_ms; /* 1000..60000, default 10000 */
	int retry_s;            /* 1..3600, default 60 (protocol.md 1.9) */
	int retry_count;        /* 0..1000, default 5 */
	int rate_per_s;         /* requests a second that we answer it, 1..1000, default 50; more is Ret -1 */
	int push_rate_per_s;    /* requests a second that we send it, 1..1000, default 20; log-ins come on top */
	int resend_all_h;       /* 0..24, every so many hours all statuses are pushed again, default 3; 0 = never */
	int iserv;              /* bool, default 0: it may start and stop charges, and gets the orders of those */
	const char *policy;     /* prices of the charges that it starts; "" = the station's */
	int pull_s; /* 0..3600: its waiting requests are fetched so often (an extension); default 0 = never */
	int push_station_info; /* bool, default 0: push station information on change */
	int push_stats;        /* bool, default 0: push yesterday's statistics daily */
	int send_vin; /* bool, default 0: the start result says the car's VIN, where the charger or a BMS listener
				   knows it (protocol.md 2.9) */
};
/* Whether a start or stop is answered at once, its result following (asynchronous), or with its result. */
enum { CONFIG_MODE_ASYNC, CONFIG_MODE_SYNC };
enum { CONFIG_LOCAL_ALLOW, CONFIG_LOCAL_AUTHORISED };
enum { CONFIG_SIG_STRICT, CONFIG_SIG_SUCCESS, CONFIG_SIG_OFF };
enum { CONFIG_DATA_EMPTY, CONFIG_DATA_NULL, CONFIG_DATA_ABSENT, CONFIG_DATA_OBJECT };

struct config {
	struct arena arena;
	const char *path;
	struct config_gateway gateway;
	struct config_admin admin; /* enabled 0 when the section is missing */
	struct config_listen *listens;
	int listen_count;
	struct config_station *stations;
	int station_count;
	struct config_bus *buses;
	int bus_count;
	struct config_charger *chargers;
	int charger_count;
	struct config_connector *connectors;
	int connector_count; /* at most CONFIG_MAX_CONNECTORS (Kconfig) */
	struct config_device *devices;
	int device_count;
	struct config_platform *platforms;
	int platform_count;
};

/* Reads a file. On any mistake NULL, and each mistake printed to mistakes (may be NULL) on a line of its own;
 * *err has the count and the first of them. Free with config_free. */
struct config *config_read(const char *path, FILE *mistakes, struct error *err);
void config_free(struct config *config);
/* One mistake; the texts live during the call. */
struct config_mistake {
	int line;
	const char *type, *name, *option; /* "" where it is not that of a section, or of an option */
	const char *what;                 /* one sentence without the place ... */
	const char *text;                 /* ... and with it, as config_read prints it */
};
typedef void (*config_mistaken)(void *user, const struct config_mistake *mistake);
/* The same of a text that is in no file yet; path: what it is called in messages. each (may be NULL) hears of at most 200 mistakes.
 * Touches nothing but its arguments, and may run in any thread. */
struct config *config_parse(const char *path, const char *text, size_t len, config_mistaken each, void *user,
			    struct error *err);

/* What is asked or listened to on a bus: the chargers, then the devices. Texts are borrowed. */
struct config_unit {
	const char *type; /* of the section: "charger" or "device" */
	int index;        /* in its list */
	const char *name;
	int bus, unit;
	const char *profile;
	int poll_ms;
	int charger; /* place in chargers; -1 of a device */
	const char *meter_address;
};
int config_unit_count(const struct config *config);
/* index: 0..count-1. */
struct config_unit config_unit(const struct config *config, int index);

/* Every section and option with what is allowed and its default, as Markdown. */
void config_describe(FILE *to);

/* What a change asks of each object (netifd's way): printed by --check and by a reload before it happens. */
enum config_action { CONFIG_SAME, CONFIG_APPLY, CONFIG_RESTART, CONFIG_ADD, CONFIG_REMOVE };
const char *config_action_name(enum config_action action);
struct config_change {
	const char *type; /* "bus", "charger" ... */
	const char *name; /* section; lives as long as both configurations */
	enum config_action action;
};
/* Compares; calls each for every object that is not the same. from may be NULL (all is added). Returns how many. */
int config_compare(const struct config *from, const struct config *to,
		   void (*each)(void *user, const struct config_change *change), void *user);

/* Field-wise equality of one object each (text by content, references by the name they point to). */
int config_bus_equal(const struct config_bus *a, const struct config_bus *b);
int config_charger_equal(const struct config *ca, const struct config_charger *a, const struct config *cb,
			 const struct config_charger *b);
int config_platform_equal(const struct config *ca, const struct config_platform *a, const struct config *cb,
			  const struct config_platform *b);
int config_listen_equal(const struct config_listen *a, const struct config_listen *b);

#endif
