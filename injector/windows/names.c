/* Stable names of the enums in facts.h: journal, --json, screens. */
#include "windows/facts.h"

const char *windows_phase_name(enum windows_phase p)
{
	switch (p) {
	case WINDOWS_PHASE_GENERALIZED:
		return "generalized";
	case WINDOWS_PHASE_SPECIALIZE:
		return "specialize";
	case WINDOWS_PHASE_BETWEEN:
		return "between";
	case WINDOWS_PHASE_COMPLETE:
		return "complete";
	case WINDOWS_PHASE_AUDIT:
		return "audit";
	default:
		return "unknown";
	}
}

const char *windows_join_name(enum windows_join_state s)
{
	switch (s) {
	case WINDOWS_JOIN_NONE:
		return "none";
	case WINDOWS_JOIN_PENDING:
		return "pending";
	case WINDOWS_JOINED:
		return "joined";
	default:
		return "unknown";
	}
}

const char *windows_arch_name(enum windows_arch a)
{
	switch (a) {
	case WINDOWS_X86:
		return "x86";
	case WINDOWS_AMD64:
		return "amd64";
	case WINDOWS_ARM64:
		return "arm64";
	default:
		return "unknown";
	}
}

const char *windows_odj_name(enum windows_odj s)
{
	static const char *const names[] = {"none", "waiting", "ignored", "completed", "failed"};
	return names[s];
}

const char *windows_hibernation_name(enum windows_hibernation h)
{
	static const char *const names[] = {"no", "fast-startup", "hibernated", "unknown"};
	return names[h];
}
