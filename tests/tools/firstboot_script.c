/* firstboot_script: the script of the first-boot method, to standard output. */
#include <stdio.h>

#include "windows/firstboot.h"

int main(void)
{
	struct span s = firstboot_script();
	return fwrite(s.p, 1, s.len, stdout) == s.len ? 0 : 1;
}
