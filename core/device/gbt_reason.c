/* GB/T 27930: why a charge stopped or failed, in words, from BST, CST, BEM, CEM and BSM (chargers.md 2.3, 2.7). */
#include "device/gbt_state.h"

enum source {
	BY_CST,
	BY_BST,
	BY_CEM,
	BY_BEM,
	BY_BSM,
	BY_SILENCE, /* no frame says it */
	BY_REPLACED,
	BY_BST_ALONE, /* BST without any reason */
	BY_CST_ALONE,
};

enum { GROUPS = 4, FRAME = 4, SAID = 1 };

/* Ordered: the first that was said is the reason. What is precise comes before what is general, and a fault before "the other side
 * stopped"; both sides' words are taken together, and whoever only follows names no reason. byte and bit count from 1. */
static const struct gbt_reason reasons[] = {
    {"emergency_stop", GBT_BY_PERSON, 1, "emergency stop at the charger", "充电机急停", {BY_CST, 3, 1}},
    {"car_insulation", GBT_BY_CAR, 1, "insulation fault in the vehicle", "车辆绝缘故障", {BY_BST, 2, 1}},
    {"car_connector_overtemp",
     GBT_BY_CAR,
     1,
     "charging connector too hot, seen by the vehicle",
     "车辆检测到充电连接器过温",
     {BY_BST, 2, 3}},
    {"car_component_overtemp",
     GBT_BY_CAR,
     1,
     "component of the battery management too hot",
     "BMS元件过温",
     {BY_BST, 2, 5}},
    {"car_connector_fault",
     GBT_BY_CAR,
     1,
     "charging connector faulty, seen by the vehicle",
     "车辆检测到充电连接器故障",
     {BY_BST, 2, 7}},
    {"car_pack_overtemp", GBT_BY_CAR, 1, "battery too hot", "电池组过温", {BY_BST, 3, 1}},
    {"car_relay", GBT_BY_CAR, 1, "high-voltage relay of the vehicle faulty", "车辆高压继电器故障", {BY_BST, 3, 3}},
    {"car_cc2_voltage",
     GBT_BY_CAR,
     1,
     "voltage of the connection check CC2 wrong",
     "检测点2（CC2）电压异常",
     {BY_BST, 3, 5}},
    {"car_overcurrent", GBT_BY_CAR, 1, "current too high, seen by the vehicle", "车辆检测到电流过大", {BY_BST, 4, 1}},
    {"car_voltage_abnormal", GBT_BY_CAR, 1, "voltage wrong, seen by the vehicle", "车辆检测到电压异常", {BY_BST, 4, 3}},
    {"charger_overtemp", GBT_BY_CHARGER, 1, "charger too hot", "充电机过温", {BY_CST, 2, 1}},
    {"charger_connector",
     GBT_BY_CHARGER,
     1,
     "charging connector faulty, seen by the charger",
     "充电机检测到充电连接器故障",
     {BY_CST, 2, 3}},
    {"charger_internal_overtemp", GBT_BY_CHARGER, 1, "inside of the charger too hot", "充电机内部过温", {BY_CST, 2, 5}},
    {"charger_no_energy", GBT_BY_CHARGER, 1, "the charger can't deliver", "所需电量不能传送", {BY_CST, 2, 7}},
    {"charger_current_mismatch",
     GBT_BY_CHARGER,
     1,
     "current does not match, seen by the charger",
     "充电机检测到电流不匹配",
     {BY_CST, 4, 1}},
    {"charger_voltage_abnormal",
     GBT_BY_CHARGER,
     1,
     "voltage wrong, seen by the charger",
     "充电机检测到电压异常",
     {BY_CST, 4, 3}},
    {"car_other", GBT_BY_CAR, 1, "other fault of the vehicle", "车辆其他故障", {BY_BST, 3, 7}},
    {"charger_other", GBT_BY_CHARGER, 1, "other fault of the charger", "充电机其他故障", {BY_CST, 3, 3}},
    {"manual", GBT_BY_PERSON, 0, "stopped by a person at the charger", "人工终止充电", {BY_CST, 1, 3}},
    {"soc_reached", GBT_BY_CAR, 0, "wanted state of charge reached", "达到所需SOC目标值", {BY_BST, 1, 1}},
    {"voltage_reached", GBT_BY_CAR, 0, "wanted total voltage reached", "达到总电压设定值", {BY_BST, 1, 3}},
    {"cell_reached", GBT_BY_CAR, 0, "wanted cell voltage reached", "达到单体电压设定值", {BY_BST, 1, 5}},
    {"condition_reached",
     GBT_BY_CHARGER,
     0,
     "condition set at the charger reached",
     "达到充电机设定条件",
     {BY_CST, 1, 1}},
    {"charger_fault", GBT_BY_CHARGER, 1, "fault of the charger, not named", "充电机故障终止（未说明）", {BY_CST, 1, 5}},
    {"no_brm",
     GBT_BY_CHARGER,
     1,
     "no identification from the vehicle (BRM)",
     "等待BRM（车辆辨识）超时",
     {BY_CEM, 1, 1}},
    {"no_bcp",
     GBT_BY_CHARGER,
     1,
     "no battery parameters from the vehicle (BCP)",
     "等待BCP（蓄电池参数）超时",
     {BY_CEM, 2, 1}},
    {"no_bro",
     GBT_BY_CHARGER,
     1,
     "the vehicle did not become ready (BRO)",
     "等待BRO（车辆准备就绪）超时",
     {BY_CEM, 2, 3}},
    {"no_bcs",
     GBT_BY_CHARGER,
     1,
     "no battery state from the vehicle (BCS)",
     "等待BCS（电池充电总状态）超时",
     {BY_CEM, 3, 1}},
    {"no_bcl",
     GBT_BY_CHARGER,
     1,
     "no charging demand from the vehicle (BCL)",
     "等待BCL（电池充电需求）超时",
     {BY_CEM, 3, 3}},
    {"no_bst",
     GBT_BY_CHARGER,
     1,
     "the vehicle did not answer the stop (BST)",
     "等待BST（车辆终止充电）超时",
     {BY_CEM, 3, 5}},
    {"no_bsd",
     GBT_BY_CHARGER,
     1,
     "no final values from the vehicle (BSD)",
     "等待BSD（车辆统计数据）超时",
     {BY_CEM, 4, 1}},
    {"no_crm", GBT_BY_CAR, 1, "no identification from the charger (CRM)", "等待CRM（充电机辨识）超时", {BY_BEM, 1, 1}},
    {"no_crm_known",
     GBT_BY_CAR,
     1,
     "the charger did not know the vehicle (CRM 0xAA)",
     "等待CRM（辨识成功）超时",
     {BY_BEM, 1, 3}},
    {"no_cts_cml",
     GBT_BY_CAR,
     1,
     "no limits from the charger (CTS, CML)",
     "等待CTS和CML（充电机输出能力）超时",
     {BY_BEM, 2, 1}},
    {"no_cro",
     GBT_BY_CAR,
     1,
     "the charger did not become ready (CRO)",
     "等待CRO（充电机准备就绪）超时",
     {BY_BEM, 2, 3}},
    {"no_ccs",
     GBT_BY_CAR,
     1,
     "no charging state from the charger (CCS)",
     "等待CCS（充电机充电状态）超时",
     {BY_BEM, 3, 1}},
    {"no_cst",
     GBT_BY_CAR,
     1,
     "the charger did not answer the stop (CST)",
     "等待CST（充电机终止充电）超时",
     {BY_BEM, 3, 3}},
    {"no_csd",
     GBT_BY_CAR,
     1,
     "no final values from the charger (CSD)",
     "等待CSD（充电机统计数据）超时",
     {BY_BEM, 4, 1}},
    {"battery_cell_voltage", GBT_BY_CAR, 1, "cell voltage out of range", "单体电压异常", {BY_BSM, 1, 1}},
    {"battery_soc", GBT_BY_CAR, 1, "state of charge out of range", "SOC异常", {BY_BSM, 1, 3}},
    {"battery_overcurrent", GBT_BY_CAR, 1, "charging current too high", "充电过电流", {BY_BSM, 1, 5}},
    {"battery_overtemp", GBT_BY_CAR, 1, "battery temperature too high", "电池温度过高", {BY_BSM, 1, 7}},
    {"battery_insulation", GBT_BY_CAR, 1, "insulation of the battery abnormal", "电池绝缘异常", {BY_BSM, 2, 1}},
    {"battery_connector", GBT_BY_CAR, 1, "output connector of the battery abnormal", "输出连接器异常", {BY_BSM, 2, 3}},
    {"silence", GBT_BY_UNKNOWN, 0, "both fell silent without a stop", "未终止即通信中断", {BY_SILENCE, 0, 0}},
    {"replaced", GBT_BY_UNKNOWN, 0, "a new session began without a stop", "未终止即开始新会话", {BY_REPLACED, 0, 0}},
    {"none_car",
     GBT_BY_CAR,
     0,
     "stopped by the vehicle, no reason given",
     "车辆终止，未说明原因",
     {BY_BST_ALONE, 0, 0}},
    {"none_charger",
     GBT_BY_CHARGER,
     0,
     "stopped by the charger, no reason given",
     "充电机终止，未说明原因",
     {BY_CST_ALONE, 0, 0}},
};

enum { ROWS = sizeof(reasons) / sizeof(reasons[0]) };

const struct gbt_reason *gbt_reasons(int *count)
{
	*count = ROWS;
	return reasons;
}

const char *gbt_by_name(enum gbt_by by)
{
	switch (by) {
	case GBT_BY_CAR:
		return "car";
	case GBT_BY_CHARGER:
		return "charger";
	case GBT_BY_PERSON:
		return "person";
	case GBT_BY_UNKNOWN:
		break;
	}
	return "unknown";
}

/* A bit for each group of two that says 01. Unused groups are 11, unknown ones 10. */
static uint32_t flags(const uint8_t *data, int bytes)
{
	uint32_t said = 0;

	for (int i = 0; i < bytes; i++)
		for (int k = 0; k < GROUPS; k++)
			if ((data[i] >> (2 * k) & 3) == SAID)
				said |= 1u << (i * GROUPS + k);
	return said;
}

/* SPN 3090 to 3095: for the first two 10 is a fault too (too low). */
static uint32_t battery_flags(const uint8_t *bsm)
{
	uint32_t said = flags(bsm + 5, 2) & 0x3f;

	for (int k = 0; k < 2; k++)
		if ((bsm[5] >> (2 * k) & 3) == 2)
			said |= 1u << k;
	return said;
}

void gbt_reason_note(struct gbt *g, enum gbt_id message)
{
	struct gbt_told *t = &g->told;
	const uint8_t *data = g->heard[message].data;

	switch (message) {
	case BST:
		t->car_first = t->heard_cst ? t->car_first : 1;
		t->heard_bst = 1;
		t->bst |= flags(data, FRAME);
		break;
	case CST:
		t->heard_cst = 1;
		t->cst |= flags(data, FRAME);
		break;
	case BEM:
		t->bem |= flags(data, FRAME);
		break;
	case CEM:
		t->cem |= flags(data, FRAME);
		break;
	case BSM:
		/* What it says now: a charge that went on for an hour after a warning did not stop for it. */
		if (!t->heard_bst && !t->heard_cst)
			t->bsm = battery_flags(data);
		return;
	default:
		return;
	}
	gbt_reason_update(g);
}

static int said(const struct gbt_told *t, int row)
{
	unsigned flag = (unsigned)((reasons[row].said.byte - 1) * GROUPS + (reasons[row].said.bit - 1) / 2);
	int stopped = t->heard_bst || t->heard_cst;
	/* BST 1.7 says that the charger stopped, CST 1.7 that the car did; else who spoke first did. */
	int bst_other = t->bst >> 3 & 1, cst_other = t->cst >> 3 & 1;
	int by_car = bst_other == cst_other ? t->car_first : cst_other;

	switch ((enum source)reasons[row].said.source) {
	case BY_CST:
		return t->cst >> flag & 1;
	case BY_BST:
		return t->bst >> flag & 1;
	case BY_CEM:
		return t->cem >> flag & 1;
	case BY_BEM:
		return t->bem >> flag & 1;
	case BY_BSM:
		return (stopped || t->silent) && t->bsm >> flag & 1;
	case BY_SILENCE:
		return t->silent && !stopped;
	case BY_REPLACED:
		return t->replaced && !stopped;
	case BY_BST_ALONE:
		return stopped && by_car;
	case BY_CST_ALONE:
		return stopped;
	}
	return 0;
}

void gbt_reason_update(struct gbt *g)
{
	const struct gbt_reason *stop = NULL, *error = NULL;

	for (int i = 0; i < ROWS; i++) {
		if (!said(&g->told, i))
			continue;
		if (!stop)
			stop = &reasons[i];
		if (!error && (reasons[i].said.source == BY_CEM || reasons[i].said.source == BY_BEM))
			error = &reasons[i];
	}
	if (!error)
		error = g->error; /* stands for the session */
	if (stop != g->stop || error != g->error)
		g->changes++;
	g->stop = stop;
	g->error = error;
}
