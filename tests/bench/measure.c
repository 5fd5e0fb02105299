/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure: run the contestants of a plan in rounds and print one line per timed command.
 * Wall time is the monotonic clock from before vfork to after wait4; memory is wait4's ru_maxrss
 * plus the peak of the daemons that a contestant names. Small and static on purpose: its own cost
 * is in every sample, and a vforked child inherits its parent's size as its first peak.
 *
 *   measure [-n ROUNDS] [-w WARMUPS] [-f FIRST] [-s SETTLE_MS] [-t LIMIT_S] [-l LOG] PLAN
 *
 * The plan is lines of words (no quoting); "contestant NAME" opens a contestant:
 *   root DIR        chroot of its commands          dir DIR      their working directory there
 *   daemon PID      add this process's peak RSS     setenv K=V   add to their environment
 *   first CMD       once, before the first round    last CMD     once, at the end, come what may
 *   each CMD        every round, not timed          time L CMD   every round, timed under label L
 *   reap            wait until all orphaned descendants (a container's init) are gone
 *   after CMD       end of every round, come what may, status ignored
 * What the commands print goes to the log, each one's output below a line "== contestant label".
 * Output, tab-separated: contestant, round, label, wall ns, peak RSS KiB, user us, system us;
 * a contestant whose command failed has a line of round -1 and label "failed", and status 1
 * follows.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTESTANTS_MAX = 16, STEPS_MAX = 48, WORDS_MAX = 64, DAEMONS_MAX = 8, ENV_MAX = 64 };

enum step_kind { STEP_FIRST, STEP_EACH, STEP_TIME, STEP_REAP, STEP_AFTER, STEP_LAST };

struct step {
	enum step_kind kind;
	const char *label;
	char *argv[WORDS_MAX + 1];
};

struct contestant {
	const char *name;
	const char *root;
	const char *dir;
	size_t daemon_count;
	pid_t daemons[DAEMONS_MAX];
	size_t env_count;
	char *env[ENV_MAX + 1];
	bool failed;
	size_t step_count;
	struct step steps[STEPS_MAX];
};

struct measure {
	unsigned int rounds;
	unsigned int warmups;
	unsigned int first_round;
	unsigned int settle_ms;
	unsigned int limit_s;
	const char *log_path;
	int log_fd;
	size_t contestant_count;
	struct contestant contestants[CONTESTANTS_MAX];
};

struct sample {
	uint64_t wall_ns;
	long maxrss_kb;
	struct rusage usage;
};

/* Set by signals only: the loop ends at the next command, and the cleaning steps still run. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	if (number != SIGALRM)
		interrupted = 1;
}

static int fail(const char *what, const char *subject)
{
	fprintf(stderr, "measure: %s \"%s\"%s%s\n", what, subject, errno ? ": " : "",
		errno ? strerror(errno) : "");
	return -1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* ---- the plan ---- */

typedef int (*plan_fn)(struct contestant *contestant, char **words);

static int plan_root(struct contestant *contestant, char **words)
{
	contestant->root = words[0];
	return 0;
}

static int plan_dir(struct contestant *contestant, char **words)
{
	contestant->dir = words[0];
	return 0;
}

static int plan_daemon(struct contestant *contestant, char **words)
{
	if (contestant->daemon_count == DAEMONS_MAX)
		return fail("too many daemons of", contestant->name);
	contestant->daemons[contestant->daemon_count++] = (pid_t)strtol(words[0], NULL, 10);
	return 0;
}

static int plan_setenv(struct contestant *contestant, char **words)
{
	if (contestant->env_count == ENV_MAX)
		return fail("too many variables of", contestant->name);
	contestant->env[contestant->env_count++] = words[0];
	return 0;
}

/* clang-format off */
static const struct { const char *word; plan_fn apply; } plan_settings[] = {
	{ "root",   plan_root },
	{ "dir",    plan_dir },
	{ "daemon", plan_daemon },
	{ "setenv", plan_setenv },
};

static const struct { const char *word; enum step_kind kind; size_t words_min; } plan_steps[] = {
	{ "first", STEP_FIRST, 1 },
	{ "each",  STEP_EACH,  1 },
	{ "time",  STEP_TIME,  2 },
	{ "reap",  STEP_REAP,  0 },
	{ "after", STEP_AFTER, 1 },
	{ "last",  STEP_LAST,  1 },
};
/* clang-format on */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int plan_add_step(struct contestant *contestant, size_t row, char **words, size_t count)
{
	struct step *step;

	if (contestant->step_count == STEPS_MAX || count < plan_steps[row].words_min)
		return fail("bad or too many steps of", contestant->name);
	step = &contestant->steps[contestant->step_count++];
	step->kind = plan_steps[row].kind;
	step->label = step->kind == STEP_TIME ? words[0] : plan_steps[row].word;
	for (size_t i = step->kind == STEP_TIME ? 1 : 0, j = 0; i < count; i++, j++)
		step->argv[j] = words[i];
	return 0;
}

static int plan_line(struct measure *measure, char **words, size_t count)
{
	struct contestant *contestant;

	errno = 0;
	if (strcmp(words[0], "contestant") == 0) {
		if (count != 2 || measure->contestant_count == CONTESTANTS_MAX)
			return fail("bad or too many contestants at", words[0]);
		contestant = &measure->contestants[measure->contestant_count++];
		contestant->name = words[1];
		for (char **env = environ; *env && contestant->env_count < ENV_MAX / 2; env++)
			contestant->env[contestant->env_count++] = *env;
		return 0;
	}
	if (measure->contestant_count == 0)
		return fail("no contestant before", words[0]);
	contestant = &measure->contestants[measure->contestant_count - 1];
	for (size_t i = 0; i < LENGTH(plan_settings); i++) {
		if (strcmp(words[0], plan_settings[i].word) == 0 && count == 2)
			return plan_settings[i].apply(contestant, words + 1);
	}
	for (size_t i = 0; i < LENGTH(plan_steps); i++) {
		if (strcmp(words[0], plan_steps[i].word) == 0)
			return plan_add_step(contestant, i, words + 1, count - 1);
	}
	return fail("unknown plan line", words[0]);
}

/* The words point into lines that live as long as the program. */
static int plan_read(struct measure *measure, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	if (!file)
		return fail("open plan", path);
	while (ret == 0 && getline(&line, &size, file) >= 0) {
		char *words[WORDS_MAX + 1] = { NULL };
		char *copy = strdup(line);
		char *rest = NULL;
		size_t count = 0;

		if (!copy) {
			ret = fail("read plan", path);
			break;
		}
		for (char *word = strtok_r(copy, " \n", &rest); word && count < WORDS_MAX;
		     word = strtok_r(NULL, " \n", &rest))
			words[count++] = word;
		if (count > 0 && words[0][0] != '#')
			ret = plan_line(measure, words, count);
	}
	free(line);
	fclose(file);
	return ret;
}

/* ---- one command ---- */

/*
 * In a function of its own, so that the vforked child shares no live locals with the caller.
 * Returns the pid; an exec that failed is seen as *child_errno after the wait.
 */
static __attribute__((noinline)) pid_t start(const struct measure *measure,
					     const struct contestant *contestant,
					     const struct step *step, volatile int *child_errno)
{
	pid_t pid = vfork();

	if (pid != 0)
		return pid;
	if (dup2(measure->log_fd, STDOUT_FILENO) >= 0 &&
	    dup2(measure->log_fd, STDERR_FILENO) >= 0 &&
	    (!contestant->root || chroot(contestant->root) == 0) &&
	    chdir(contestant->dir ? contestant->dir : "/") == 0)
		execve(step->argv[0], step->argv, contestant->env);
	*child_errno = errno;
	_exit(127);
}

static void set_alarm(unsigned int seconds)
{
	/* Repeating, so that an alarm just before wait4 cannot be lost. */
	struct itimerval timer = { .it_value.tv_sec = seconds,
				   .it_interval.tv_usec = seconds ? 200000 : 0 };

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Waits for pid (-1: all children); at the limit or a signal the command is killed, once waited. */
static int wait_for(const struct measure *measure, pid_t pid, int *status, struct rusage *usage)
{
	bool killed = false;
	pid_t ret;

	for (;;) {
		ret = wait4(pid, status, 0, usage);
		if (ret > 0 && pid > 0)
			return killed ? -1 : 0;
		if (ret < 0 && errno == ECHILD)
			return 0;
		if (ret < 0 && errno == EINTR) {
			if (pid < 0)
				return -1;
			kill(pid, SIGKILL);
			killed = true;
		} else if (ret < 0) {
			return fail("wait in", measure->log_path);
		}
	}
}

static int run_command(const struct measure *measure, const struct contestant *contestant,
		       const struct step *step, struct sample *out_sample)
{
	volatile int child_errno = 0;
	struct sample sample = { 0 };
	uint64_t begin;
	int status = 0;
	pid_t pid;
	int ret;

	dprintf(measure->log_fd, "== %s %s\n", contestant->name, step->label);
	set_alarm(measure->limit_s);
	begin = now_ns();
	pid = start(measure, contestant, step, &child_errno);
	ret = pid < 0 ? -1 : wait_for(measure, pid, &status, &sample.usage);
	sample.wall_ns = now_ns() - begin;
	set_alarm(0);
	sample.maxrss_kb = sample.usage.ru_maxrss;
	errno = child_errno;
	if (ret < 0 || child_errno || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		if (out_sample)
			fprintf(stderr, "measure: %s: %s: status %#x%s\n", contestant->name,
				step->label, status, ret < 0 ? " (limit or signal)" : "");
		return out_sample ? fail("run", step->argv[0]) : -1;
	}
	if (out_sample)
		*out_sample = sample;
	return 0;
}

static int reap(const struct measure *measure, const struct contestant *contestant)
{
	struct rusage usage;
	int status;
	int ret;

	set_alarm(measure->limit_s);
	ret = wait_for(measure, -1, &status, &usage);
	set_alarm(0);
	errno = 0;
	return ret < 0 ? fail("descendants stay of", contestant->name) : 0;
}

/* ---- memory of daemons ---- */

static void daemons_reset_peak(const struct contestant *contestant)
{
	char path[64];
	int fd;

	for (size_t i = 0; i < contestant->daemon_count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/clear_refs", contestant->daemons[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "5", 1) != 1)
			fprintf(stderr, "measure: %s: peak is not reset\n", path);
		close(fd);
	}
}

static long daemons_peak_kb(const struct contestant *contestant)
{
	char line[256];
	long total = 0;
	long peak;

	for (size_t i = 0; i < contestant->daemon_count; i++) {
		FILE *file;

		snprintf(line, sizeof(line), "/proc/%d/status", contestant->daemons[i]);
		file = fopen(line, "re");
		if (!file)
			continue;
		while (fgets(line, sizeof(line), file)) {
			if (sscanf(line, "VmHWM: %ld kB", &peak) == 1)
				total += peak;
		}
		fclose(file);
	}
	return total;
}

/* ---- rounds ---- */

static int run_timed(const struct measure *measure, const struct contestant *contestant,
		     const struct step *step, int round)
{
	struct sample sample;

	daemons_reset_peak(contestant);
	if (run_command(measure, contestant, step, &sample) < 0)
		return -1;
	if (round < 0)
		return 0;
	printf("%s\t%d\t%s\t%llu\t%ld\t%lld\t%lld\n", contestant->name, round, step->label,
	       (unsigned long long)sample.wall_ns, sample.maxrss_kb + daemons_peak_kb(contestant),
	       (long long)sample.usage.ru_utime.tv_sec * 1000000 + sample.usage.ru_utime.tv_usec,
	       (long long)sample.usage.ru_stime.tv_sec * 1000000 + sample.usage.ru_stime.tv_usec);
	fflush(stdout);
	return 0;
}

static int run_once(const struct measure *measure, const struct contestant *contestant,
		    enum step_kind kind)
{
	struct sample sample;

	for (size_t i = 0; i < contestant->step_count; i++) {
		const struct step *step = &contestant->steps[i];
		bool cleaning = kind == STEP_AFTER || kind == STEP_LAST;

		if (step->kind == kind &&
		    run_command(measure, contestant, step, cleaning ? NULL : &sample) < 0 &&
		    !cleaning)
			return -1;
	}
	return 0;
}

static int run_contestant(const struct measure *measure, const struct contestant *contestant,
			  int round)
{
	struct timespec settle = { .tv_sec = measure->settle_ms / 1000,
				   .tv_nsec = (long)(measure->settle_ms % 1000) * 1000000 };
	struct sample sample;
	int ret = 0;

	for (size_t i = 0; i < contestant->step_count && ret == 0 && !interrupted; i++) {
		const struct step *step = &contestant->steps[i];

		if (step->kind == STEP_EACH)
			ret = run_command(measure, contestant, step, &sample);
		else if (step->kind == STEP_TIME)
			ret = run_timed(measure, contestant, step, round);
		else if (step->kind == STEP_REAP)
			ret = reap(measure, contestant);
	}
	(void)run_once(measure, contestant, STEP_AFTER); /* cleaning: never fails */
	/* The kernel frees namespaces later, on these CPUs: not on the next one's account. */
	nanosleep(&settle, NULL);
	return ret;
}

/* Who fails is out, and said to be; the others' race goes on. */
static void contestant_fail(struct contestant *contestant)
{
	contestant->failed = true;
	printf("%s\t-1\tfailed\t0\t0\t0\t0\n", contestant->name);
	fflush(stdout);
}

/* Rotates the order and turns it around every other round: nobody always follows the same one. */
static void run_round(struct measure *measure, unsigned int number, int round)
{
	size_t count = measure->contestant_count;

	for (size_t i = 0; i < count && !interrupted; i++) {
		size_t at = number % 2 == 0 ? i : count - 1 - i;
		struct contestant *contestant = &measure->contestants[(at + number) % count];

		if (!contestant->failed && run_contestant(measure, contestant, round) < 0 &&
		    !interrupted)
			contestant_fail(contestant);
	}
}

static int run_all(struct measure *measure)
{
	unsigned int total = measure->warmups + measure->rounds;
	bool failed = false;

	for (size_t i = 0; i < measure->contestant_count; i++) {
		if (run_once(measure, &measure->contestants[i], STEP_FIRST) < 0)
			contestant_fail(&measure->contestants[i]);
	}
	for (unsigned int i = 0; i < total && !interrupted; i++) {
		unsigned int number = i + measure->first_round;

		run_round(measure, number,
			  i < measure->warmups ? -1 : (int)(number - measure->warmups));
	}
	for (size_t i = 0; i < measure->contestant_count; i++) {
		(void)run_once(measure, &measure->contestants[i], STEP_LAST); /* cleaning */
		failed |= measure->contestants[i].failed;
	}
	return interrupted || failed ? -1 : 0;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGALRM, SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: wait4 must wake */

	for (size_t i = 0; i < LENGTH(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

static int parse_options(struct measure *measure, int argc, char **argv)
{
	unsigned int *numbers[128] = { ['n'] = &measure->rounds,
				       ['w'] = &measure->warmups,
				       ['f'] = &measure->first_round,
				       ['s'] = &measure->settle_ms,
				       ['t'] = &measure->limit_s };
	int option;

	while ((option = getopt(argc, argv, "n:w:f:s:t:l:")) >= 0) {
		if (option == 'l')
			measure->log_path = optarg;
		else if (option < 128 && numbers[option])
			*numbers[option] = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return -1;
	}
	return optind == argc - 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	/* Static only for its size: too big for a stack, and zero pages cost no memory. */
	static struct measure measure = {
		.rounds = 10, .limit_s = 60, .log_path = "/dev/null", .log_fd = -1
	};

	if (parse_options(&measure, argc, argv) < 0) {
		fputs("usage: measure [-n N] [-w N] [-f N] [-s MS] [-t S] [-l LOG] PLAN\n", stderr);
		return 2;
	}
	if (plan_read(&measure, argv[optind]) < 0)
		return 2;
	measure.log_fd = open(measure.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (measure.log_fd < 0)
		return fail("open log", measure.log_path) < 0;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fail("become subreaper", argv[0]) < 0;
	catch_signals();
	return run_all(&measure) < 0 ? 1 : 0;
}
