/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_FORECAST_H
#define ANALYSE_FORECAST_H

#include "vmatlas/analyse/forecast.h"

/* forecast_advice.c: what could be better, from all the rest. */
void forecast_advise(struct forecast *forecast);

#endif
