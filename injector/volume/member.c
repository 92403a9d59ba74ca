#include "volume/member.h"

#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "volume/volume.h"

#define MBR_LDM 0x42

unsigned member_of_raid(int fd, uint64_t size, unsigned sector, char type[MEMBER_TYPE_MAX])
{
	const char *text;
	unsigned found = 0;
	type[0] = '\0';
	blkid_probe pr = blkid_new_probe();
	if (pr && blkid_probe_set_device(pr, fd, 0, (blkid_loff_t)size) == 0) {
		blkid_probe_set_sectorsize(pr, sector);
		blkid_probe_enable_superblocks(pr, 1);
		blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
		blkid_probe_filter_superblocks_usage(pr, BLKID_FLTR_ONLYIN, BLKID_USAGE_RAID);
		/* not the safe probe: two signatures are two reasons, not none */
		if (blkid_do_probe(pr) == 0 &&
			blkid_probe_lookup_value(pr, "TYPE", &text, NULL) == 0) {
			snprintf(type, MEMBER_TYPE_MAX, "%s", text);
			found = VOLUME_TROUBLE_RAID;
		}
	}
	blkid_free_probe(pr);
	return found;
}

/* Types of partitions: Microsoft's documentation of PARTITION_INFORMATION_GPT and of the MBR type
 * byte of LDM. */
unsigned member_by_partition(blkid_partition part, bool gpt, bool *service)
{
	static const struct {
		const char *guid;
		unsigned trouble;
		bool service;
	} types[] = {
		{"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", VOLUME_TROUBLE_DYNAMIC, true},
		{"af9b60a0-1431-4f62-bc68-3311714a69ad", VOLUME_TROUBLE_DYNAMIC, false},
		{"e75caf8f-f680-4cee-afa3-b001e56efc2d", VOLUME_TROUBLE_POOL, false},
	};
	*service = false;
	if (!gpt)
		return blkid_partition_get_type(part) == MBR_LDM ? VOLUME_TROUBLE_DYNAMIC : 0;
	const char *text = blkid_partition_get_type_string(part);
	for (size_t i = 0; text && i < ARRAY_SIZE(types); i++)
		if (strcasecmp(text, types[i].guid) == 0) {
			*service = types[i].service;
			return types[i].trouble;
		}
	return 0;
}

const char *member_name(unsigned trouble)
{
	return trouble & VOLUME_TROUBLE_RAID	  ? "RAID member"
	       : trouble & VOLUME_TROUBLE_DYNAMIC ? "dynamic disk"
	       : trouble & VOLUME_TROUBLE_POOL	  ? "storage pool"
						  : "";
}
