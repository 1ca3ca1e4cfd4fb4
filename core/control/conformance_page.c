#include "control/conformance_page.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

struct page {
	struct buffer *out;
	int is_html, is_chinese;
};

/* The page's own words; findings and reasons stay English: they name fields of the standard. */
static const struct {
	const char *key, *english, *chinese;
} words[] = {
    {"title", "Conformance test report", "互联互通一致性测试报告"},
    {"station", "Station", "充电站"},
    {"operator", "Operator", "运营商"},
    {"platform", "Platform", "平台"},
    {"version", "Gateway version", "网关版本"},
    {"mapping", "Mapping", "字段映射"},
    {"began", "Began", "开始时间"},
    {"ended", "Ended", "结束时间"},
    {"deadline", "ended at its deadline", "到达时限而结束"},
    {"running", "the run is still under way", "测试仍在进行"},
    {"trial_seq", "Trial charge", "试充电"},
    {"result", "Result", "结论"},
    {"messages", "Messages", "接口"},
    {"checks", "Checks", "检查项"},
    {"method", "Method", "接口名"},
    {"caller", "Called by", "调用方"},
    {"count", "Calls", "次数"},
    {"accepted", "Accepted", "成功"},
    {"ret", "Ret", "Ret"},
    {"mean", "Mean ms", "平均毫秒"},
    {"max", "Max ms", "最大毫秒"},
    {"limit", "Limit ms", "限值毫秒"},
    {"verdict", "Verdict", "判定"},
    {"findings", "Findings", "说明"},
    {"check", "Check", "检查项"},
    {"passed", "passed", "通过"},
    {"failed", "FAILED", "不通过"},
    {"not_exercised", "NOT EXERCISED", "未测试"},
    {"incomplete", "incomplete: nothing failed, not everything was exercised", "不完整：无不通过项，但有未测试项"},
    {"by_station", "station", "充电站"},
    {"by_platform", "platform", "平台"},
    {"defect", "defect", "缺陷"},
    {"note", "note", "提示"},
    {"tls", "TLS, certificate verified", "TLS 与证书校验"},
    {"token", "Token", "令牌"},
    {"answers_signed", "Answers are signed right", "应答签名正确"},
    {"answers_encrypted", "Answers can be decrypted", "应答可以解密"},
    {"refuses_wrong_signature", "Refuses a wrong signature", "拒绝错误签名"},
    {"refuses_wrong_token", "Refuses a wrong token", "拒绝错误令牌"},
    {"refuses_unreadable_data", "Refuses Data that can't be decrypted", "拒绝无法解密的 Data"},
    {"refuses_wrong_secret", "Verifies identity: refuses a wrong OperatorSecret",
     "身份校验：拒绝错误的 OperatorSecret"},
    {"their_calls_proven", "Its calls carry the right token and signature", "平台调用的令牌与签名正确"},
    {"platform_average_icomm", "Platform's average, public information", "平台平均应答时间（公共信息）"},
    {"platform_average_iserv", "Platform's average, business information", "平台平均应答时间（业务信息）"},
    {"station_average_icomm", "Station's average, public information", "充电站平均应答时间（公共信息）"},
    {"station_average_iserv", "Station's average, business information", "充电站平均应答时间（业务信息）"},
};

static const char *word(const struct page *p, const char *key)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].key, key))
			return p->is_chinese ? words[i].chinese : words[i].english;
	return key;
}

static const char *text_of(const struct value *o, const char *key)
{
	const char *text = value_text(value_get(o, key));

	return text ? text : "";
}

/* Texts of platforms and of the configuration: markup must not come out of them, nor a second line. */
static void put(const struct page *p, const char *text)
{
	for (; *text; text++) {
		const char *as = NULL;

		if (p->is_html)
			as = *text == '<'   ? "&lt;"
			     : *text == '>' ? "&gt;"
			     : *text == '&' ? "&amp;"
			     : *text == '"' ? "&quot;"
					    : NULL;
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			as = " ";
		if (as)
			(void)buffer_text(p->out, as);
		else
			(void)buffer_add(p->out, text, 1);
	}
}

static void put_raw(const struct page *p, const char *html, const char *plain)
{
	(void)buffer_text(p->out, p->is_html ? html : plain);
}

static void put_fact(const struct page *p, const char *key, const char *text)
{
	if (!*text)
		return;
	put_raw(p, "<tr><th>", "");
	put(p, word(p, key));
	put_raw(p, "</th><td>", ": ");
	put(p, text);
	put_raw(p, "</td></tr>\n", "\n");
}

static void put_time(const struct page *p, const char *key, const struct value *at)
{
	char text[CLOCK_DATETIME_SIZE];
	int64_t wall;

	if (value_to_int(at, &wall))
		return;
	clock_format_datetime(wall, text);
	put_fact(p, key, text);
}

static void put_title(const struct page *p, const char *key, int level)
{
	char open[8], close[8];

	(void)snprintf(open, sizeof(open), "<h%d>", level);
	(void)snprintf(close, sizeof(close), "</h%d>\n", level);
	put_raw(p, open, "\n");
	put(p, word(p, key));
	put_raw(p, close, "\n");
}

static void put_head(const struct page *p, const struct value *report)
{
	char text[200];

	put_title(p, "title", 1);
	put_raw(p, "<table class=\"facts\">\n", "\n");
	value_each (station, value_get(report, "stations")) {
		(void)snprintf(text, sizeof(text), "%.120s (%.60s)", text_of(station, "name"),
			       text_of(station, "station_id"));
		put_fact(p, "station", text);
	}
	put_fact(p, "operator", text_of(report, "operator_id"));
	(void)snprintf(text, sizeof(text), "%.80s (%.40s)", text_of(report, "platform"),
		       text_of(report, "platform_id"));
	put_fact(p, "platform", text);
	put_fact(p, "version", text_of(report, "version"));
	(void)snprintf(text, sizeof(text), "%.64s %.16s", text_of(report, "mapping"), text_of(report, "mapping_hash"));
	put_fact(p, "mapping", text);
	put_fact(p, "trial_seq", text_of(report, "trial_seq"));
	put_time(p, "began", value_get(report, "began_at"));
	put_time(p, "ended", value_get(report, "ended_at"));
	if (!strcmp(text_of(report, "ended"), "deadline"))
		put_fact(p, "ended", word(p, "deadline"));
	put_fact(p, "result", word(p, *text_of(report, "verdict") ? text_of(report, "verdict") : "running"));
	put_raw(p, "</table>\n", "");
}

static void put_cell(const struct page *p, const char *text)
{
	put_raw(p, "<td>", "");
	put(p, *text ? text : "-");
	put_raw(p, "</td>", "  ");
}

static void put_number(const struct page *p, const struct value *v)
{
	char text[24] = "";
	int64_t i;

	if (!value_to_int(v, &i))
		(void)snprintf(text, sizeof(text), "%lld", (long long)i);
	put_cell(p, text);
}

static void put_row_head(const struct page *p, const char *const *keys)
{
	put_raw(p, "<table>\n<tr>", "\n");
	for (; *keys; keys++) {
		put_raw(p, "<th>", "");
		put(p, word(p, *keys));
		put_raw(p, "</th>", "  ");
	}
	put_raw(p, "</tr>\n", "\n");
}

static void put_findings(const struct page *p, const struct value *message)
{
	const char *between = "";

	put_raw(p, "<td>", "");
	if (*text_of(message, "reason")) {
		put(p, text_of(message, "reason"));
		between = "; ";
	}
	value_each (finding, value_get(message, "findings")) {
		put(p, between);
		put(p, word(p, text_of(finding, "level")));
		put(p, ": ");
		put(p, text_of(finding, "text"));
		between = "; ";
	}
	put_raw(p, "</td>", "");
}

static void put_messages(const struct page *p, const struct value *list)
{
	static const char *const keys[] = {"method", "caller", "count",   "accepted", "ret", "mean",
					   "max",    "limit",  "verdict", "findings", NULL};

	put_title(p, "messages", 2);
	put_row_head(p, keys);
	value_each (message, list) {
		const char *verdict = text_of(message, "verdict");

		put_raw(p, "<tr class=\"", "");
		put_raw(p, verdict, "");
		put_raw(p, "\">", "");
		put_cell(p, text_of(message, "method"));
		put_cell(p, word(p, !strcmp(text_of(message, "caller"), "station") ? "by_station" : "by_platform"));
		put_number(p, value_get(message, "count"));
		put_number(p, value_get(message, "accepted"));
		put_number(p, value_get(message, "ret"));
		put_number(p, value_get(message, "mean_ms"));
		put_number(p, value_get(message, "max_ms"));
		put_number(p, value_get(message, "limit_ms"));
		put_cell(p, word(p, verdict));
		put_findings(p, message);
		put_raw(p, "</tr>\n", "\n");
	}
	put_raw(p, "</table>\n", "");
}

static void put_checks(const struct page *p, const struct value *list)
{
	static const char *const keys[] = {"check", "verdict", "findings", NULL};

	put_title(p, "checks", 2);
	put_row_head(p, keys);
	value_each (check, list) {
		put_raw(p, "<tr class=\"", "");
		put_raw(p, text_of(check, "verdict"), "");
		put_raw(p, "\">", "");
		put_cell(p, word(p, text_of(check, "check")));
		put_cell(p, word(p, text_of(check, "verdict")));
		put_cell(p, text_of(check, "text"));
		put_raw(p, "</tr>\n", "\n");
	}
	put_raw(p, "</table>\n", "");
}

void conformance_page(const struct value *report, int is_html, int is_chinese, struct buffer *out)
{
	const struct page page = {out, is_html, is_chinese}, *p = &page;

	if (is_html)
		(void)buffer_printf(
		    out,
		    "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta "
		    "charset=\"utf-8\">\n<title>%s</title>\n<style>\n"
		    "body { font: 14px/1.4 sans-serif; margin: 2em; color: #111; background: #fff }\n"
		    "table { border-collapse: collapse; margin: 0 0 1em }\n"
		    "th, td { border: 1px solid #999; padding: .2em .5em; text-align: left; vertical-align: top }\n"
		    ".failed td { background: #fdd } .not_exercised td { color: #555 }\n"
		    "</style>\n</head>\n<body>\n",
		    is_chinese ? "zh" : "en", word(p, "title"));
	put_head(p, report);
	put_messages(p, value_get(report, "messages"));
	put_checks(p, value_get(report, "checks"));
	put_raw(p, "</body>\n</html>\n", "");
}
