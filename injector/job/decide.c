#include "job/decide.h"

enum plan_method decide_wanted(const enum plan_method *named, enum settings_method row)
{
	static const enum plan_method of_row[] = {
		[METHOD_AUTO] = PLAN_AUTO,
		[METHOD_REGISTRY] = PLAN_REGISTRY,
		[METHOD_UNATTEND] = PLAN_UNATTEND,
		[METHOD_FIRSTBOOT] = PLAN_FIRSTBOOT,
	};
	return named ? *named : of_row[row];
}

bool decide_method(enum windows_phase phase, enum plan_method wanted, enum plan_method *method)
{
	switch (phase) {
	case WINDOWS_PHASE_COMPLETE:
		*method = wanted == PLAN_FIRSTBOOT ? PLAN_FIRSTBOOT : PLAN_REGISTRY;
		break;
	case WINDOWS_PHASE_GENERALIZED:
	case WINDOWS_PHASE_SPECIALIZE:
		*method = PLAN_UNATTEND;
		break;
	case WINDOWS_PHASE_UNKNOWN:
	case WINDOWS_PHASE_BETWEEN:
	case WINDOWS_PHASE_AUDIT:
		*method = PLAN_AUTO;
		return false;
	}
	return wanted == PLAN_AUTO || wanted == *method;
}

bool decide_state(enum decide_state state)
{
	return state == STATE_NONE || state == STATE_PENDING_SAME;
}
