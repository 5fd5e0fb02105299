/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks. gmtime_r(3) opens /etc/localtime on its way to UTC (six system calls in a program that
 * runs for milliseconds), so the calendar is computed here.
 */
#include "lib/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar, counted in eras of 400 years that
 * begin on a first of March, so that the leap day is the last of its year. */
static void civil_date(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era, day_of_era, year_of_era, day_of_year, shifted;

	days += 719468; /* from 0000-03-01 */
	era = days / 146097;
	day_of_era = days - era * 146097;
	year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted = (5 * day_of_year + 2) / 153; /* 0 = March */
	*day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

/* "2026-08-24T10:00:00"; its length. */
static int format_civil(int64_t seconds, char buffer[CLOCK_TEXT_SIZE])
{
	int64_t year;
	int month, day, rest = (int)(seconds % 86400);

	civil_date(seconds / 86400, &year, &month, &day);
	return snprintf(buffer, CLOCK_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year,
			month, day, rest / 3600, rest / 60 % 60, rest % 60);
}

const char *clock_format(int64_t seconds, long nanoseconds, char buffer[CLOCK_TEXT_SIZE])
{
	int used = format_civil(seconds, buffer);

	(void)snprintf(buffer + used, (size_t)(CLOCK_TEXT_SIZE - used), ".%09ldZ", nanoseconds);
	return buffer;
}

const char *clock_format_seconds(int64_t seconds, char buffer[CLOCK_TEXT_SIZE])
{
	int64_t near = seconds < 0 ? 0 : seconds;
	int used = format_civil(near < CLOCK_SECONDS_MAX ? near : CLOCK_SECONDS_MAX, buffer);

	(void)snprintf(buffer + used, (size_t)(CLOCK_TEXT_SIZE - used), "Z");
	return buffer;
}

const char *clock_text(char buffer[CLOCK_TEXT_SIZE])
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return clock_format(now.tv_sec, now.tv_nsec, buffer);
}
