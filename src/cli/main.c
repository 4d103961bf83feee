// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>

#include "config.h"

int main(void)
{
	puts(PACKAGE_STRING);
	return 0;
}
