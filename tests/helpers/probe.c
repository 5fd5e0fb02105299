/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of the runtime's tests: one static program that shows what a process in a container
 * sees and can do, so that no image is needed. `probe VERB ARG ...`; several verbs are separated
 * by the word "then".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 1;
}

static int copy_fd(int fd)
{
	char buffer[65536];
	ssize_t size;

	fflush(stdout);
	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(STDOUT_FILENO, buffer, (size_t)size) != size)
			return fail("write");
	return size < 0 ? fail("read") : 0;
}

static int show_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return fail(path);
	ret = copy_fd(fd);
	(void)close(fd);
	return ret;
}

/* -- what it sees -- */

static int do_args(char **argv)
{
	for (; *argv; argv++)
		puts(*argv);
	return 0;
}

static int do_cat(char **argv)
{
	int ret = 0;

	if (!*argv)
		return copy_fd(STDIN_FILENO);
	for (; *argv; argv++)
		ret |= show_file(*argv);
	return ret;
}

/* The five sets as the kernel prints them, by name of the set. */
static int do_caps(char **argv)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	(void)argv;
	if (!file)
		return fail("/proc/self/status");
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "Cap", 3) == 0)
			fputs(line, stdout);
	return fclose(file) == 0 ? 0 : fail("fclose");
}

static int do_status(char **argv)
{
	char line[1024];
	size_t size = strlen(*argv ? *argv : "");
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return fail("/proc/self/status");
	while (fgets(line, sizeof(line), file))
		if (!*argv || (strncmp(line, *argv, size) == 0 && line[size] == ':'))
			fputs(line, stdout);
	return fclose(file) == 0 ? 0 : fail("fclose");
}

static int do_id(char **argv)
{
	gid_t groups[256];
	int count = getgroups(256, groups);

	(void)argv;
	printf("uid=%u gid=%u groups=", getuid(), getgid());
	for (int i = 0; i < count; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	putchar('\n');
	return 0;
}

static int do_mounts(char **argv)
{
	(void)argv;
	return show_file("/proc/self/mountinfo");
}

static int do_env(char **argv)
{
	(void)argv;
	for (char **item = environ; *item; item++)
		puts(*item);
	return 0;
}

static int do_cwd(char **argv)
{
	char path[4096];

	(void)argv;
	if (!getcwd(path, sizeof(path)))
		return fail("getcwd");
	puts(path);
	return 0;
}

static int do_hostname(char **argv)
{
	struct utsname name;

	(void)argv;
	if (uname(&name) < 0)
		return fail("uname");
	printf("%s %s %s\n", name.nodename, name.domainname, name.machine);
	return 0;
}

/* unix SOCKET TEXT: say TEXT, show the answer */
static int do_unix(char **args)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	if (!args[0] || !args[1] || strlen(args[0]) >= sizeof(address.sun_path))
		return fail("unix SOCKET TEXT");
	memcpy(address.sun_path, args[0], strlen(args[0]));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail(args[0]);
	if (write(fd, args[1], strlen(args[1])) < 0)
		return fail("write");
	ret = copy_fd(fd);
	close(fd);
	return ret;
}

static int do_umask(char **argv)
{
	(void)argv;
	printf("%04o\n", (unsigned int)umask(0));
	return 0;
}

static int do_pid(char **argv)
{
	(void)argv;
	printf("pid=%d ppid=%d sid=%d\n", getpid(), getppid(), getsid(0));
	return 0;
}

/* Every open fd but the one of the listing, with what it is. */
static int do_fds(char **argv)
{
	DIR *dir = opendir("/proc/self/fd");

	(void)argv;
	if (!dir)
		return fail("/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(dir));) {
		char target[4096];
		ssize_t size;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		size = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		printf("%s %.*s\n", entry->d_name, (int)(size < 0 ? 0 : size), target);
	}
	return closedir(dir);
}

static int do_rlimit(char **argv)
{
	struct rlimit limit;

	for (; *argv; argv++) {
		if (getrlimit((__rlimit_resource_t)atoi(*argv), &limit) < 0)
			return fail("getrlimit");
		printf("%s %llu %llu\n", *argv, (unsigned long long)limit.rlim_cur,
		       (unsigned long long)limit.rlim_max);
	}
	return 0;
}

static int do_nnp(char **argv)
{
	(void)argv;
	printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}

static int do_seccomp(char **argv)
{
	(void)argv;
	printf("%d\n", prctl(PR_GET_SECCOMP));
	return 0;
}

/* Which signals are ignored or blocked, as hexadecimal masks. */
static int do_signals(char **argv)
{
	char *ignored[] = { "SigIgn", NULL }, *blocked[] = { "SigBlk", NULL };

	(void)argv;
	return do_status(ignored) | do_status(blocked);
}

static int do_tty(char **argv)
{
	struct winsize size = { 0 };
	char name[256] = "";

	(void)argv;
	if (!isatty(0)) {
		puts("not a tty");
		return 1;
	}
	if (ttyname_r(0, name, sizeof(name)) != 0)
		return fail("ttyname");
	(void)ioctl(0, TIOCGWINSZ, &size);
	printf("%s %d %d\n", name, size.ws_row, size.ws_col);
	return 0;
}

/* type, mode, owner and device number of each path, without following a link. */
static int do_stat(char **argv)
{
	int ret = 0;

	for (; *argv; argv++) {
		struct stat status;
		char target[4096];
		ssize_t size;

		if (lstat(*argv, &status) < 0) {
			ret = fail(*argv);
			continue;
		}
		size = S_ISLNK(status.st_mode) ? readlink(*argv, target, sizeof(target)) : 0;
		printf("%s %06o %u:%u %u:%u %.*s\n", *argv, status.st_mode, status.st_uid,
		       status.st_gid, major(status.st_rdev), minor(status.st_rdev),
		       (int)(size < 0 ? 0 : size), target);
	}
	return ret;
}

static int do_ls(char **argv)
{
	DIR *dir = opendir(*argv ? *argv : ".");

	if (!dir)
		return fail(*argv ? *argv : ".");
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			puts(entry->d_name);
	return closedir(dir);
}

/* The inode of each namespace. */
static int do_namespaces(char **argv)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt",  "net",
					     "pid",    "time", "user", "uts" };

	(void)argv;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], target[64];
		ssize_t size;

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		size = readlink(path, target, sizeof(target));
		printf("%s %.*s\n", names[i], (int)(size < 0 ? 0 : size), target);
	}
	return 0;
}

static int do_clock(char **argv)
{
	struct timespec monotonic, boottime;

	(void)argv;
	(void)clock_gettime(CLOCK_MONOTONIC, &monotonic);
	(void)clock_gettime(CLOCK_BOOTTIME, &boottime);
	printf("monotonic=%lld boottime=%lld\n", (long long)monotonic.tv_sec,
	       (long long)boottime.tv_sec);
	return 0;
}

/* The labels of this process and of its session keyring. */
static int do_label(char **argv)
{
	char text[4096] = "";
	int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);
	long size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	(void)argv;
	if (size < 0)
		return fail("/proc/self/attr/current");
	text[strcspn(text, "\n")] = '\0';
	puts(text);
	(void)close(fd);
	size = syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, text,
		       sizeof(text));
	printf("keyring %s\n", size > 0 ? text : "");
	return 0;
}

/* policy, nice, priority, flags, runtime/deadline/period; then the I/O class and priority */
static int do_scheduler(char **argv)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attr = { 0 };
	int io = (int)syscall(SYS_ioprio_get, 1, 0);

	(void)argv;
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 || io < 0)
		return fail("sched_getattr");
	printf("policy=%u nice=%d priority=%u flags=%llu %llu/%llu/%llu io=%d:%d\n", attr.policy,
	       attr.nice, attr.priority, (unsigned long long)attr.flags,
	       (unsigned long long)attr.runtime, (unsigned long long)attr.deadline,
	       (unsigned long long)attr.period, io >> 13, io & 7);
	return 0;
}

/* The mode with its flags, and the first word of the nodes, in hexadecimal. */
static int do_mempolicy(char **argv)
{
	unsigned long nodes[16] = { 0 };
	int mode = 0;

	(void)argv;
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) < 0)
		return fail("get_mempolicy");
	printf("mode=%x nodes=%lx\n", (unsigned int)mode, nodes[0]);
	return 0;
}

/* -- what it can do -- */

static int do_true(char **argv)
{
	(void)argv;
	return 0;
}

static int do_false(char **argv)
{
	(void)argv;
	return 1;
}

static int do_exit(char **argv)
{
	fflush(stdout);
	_exit(*argv ? atoi(*argv) : 0);
}

static int do_sleep(char **argv)
{
	struct timespec time = { .tv_sec = *argv ? atoi(*argv) : 1000000 };

	fflush(stdout);
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
	return 0;
}

static int do_echo(char **argv)
{
	for (; *argv; argv++)
		printf("%s%s", *argv, argv[1] ? " " : "");
	putchar('\n');
	return 0;
}

static int do_stderr(char **argv)
{
	for (; *argv; argv++)
		fprintf(stderr, "%s\n", *argv);
	return 0;
}

/* write FILE [TEXT]: creates it */
static int do_write(char **argv)
{
	int fd = open(argv[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	const char *text = argv[1] ? argv[1] : "x";

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return fail(argv[0]);
	return close(fd);
}

/* save FILE: standard input */
static int do_save(char **argv)
{
	char buffer[65536];
	int fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	ssize_t size;

	if (fd < 0)
		return fail(argv[0]);
	while ((size = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		if (write(fd, buffer, (size_t)size) != size)
			return fail("write");
	return close(fd);
}

/* notify LINE...: one message of sd_notify(3) */
static int do_notify(char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *path = getenv("NOTIFY_SOCKET");
	char text[4096] = "";

	for (; *argv; argv++) {
		(void)strncat(text, *argv, sizeof(text) - strlen(text) - 2);
		(void)strcat(text, argv[1] ? "\n" : "");
	}
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path ? path : "");
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail(path ? path : "NOTIFY_SOCKET");
	return close(fd);
}

/* A folder, so that modes and owners show. */
static int do_mkdir(char **argv)
{
	return mkdir(argv[0], 0777) < 0 ? fail(argv[0]) : 0;
}

static int do_mknod(char **argv)
{
	dev_t number = makedev((unsigned int)atoi(argv[2]), (unsigned int)atoi(argv[3]));

	return mknod(argv[0], (argv[1][0] == 'b' ? S_IFBLK : S_IFCHR) | 0666, number) < 0
		       ? fail(argv[0])
		       : 0;
}

static int do_open(char **argv)
{
	for (; *argv; argv++) {
		int fd = open(*argv, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		printf("%s %s\n", *argv, fd < 0 ? strerrorname_np(errno) : "ok");
		if (fd >= 0)
			(void)close(fd);
	}
	return 0;
}

/* One system call that tests filter or that needs a capability, by what it answers. */
static int do_try(char **argv)
{
	const char *name = *argv ? *argv : "";
	int ret = -1;

	errno = 0;
	if (strcmp(name, "sethostname") == 0)
		ret = sethostname("tried", 5);
	else if (strcmp(name, "mkdir") == 0)
		ret = mkdir("/tried", 0777);
	else if (strcmp(name, "unshare") == 0)
		ret = unshare(CLONE_NEWUTS);
	else if (strcmp(name, "keyctl") == 0)
		ret = (int)syscall(SYS_keyctl, 0, -3, 0, 0, 0);
	else if (strcmp(name, "kcmp") == 0)
		ret = (int)syscall(SYS_kcmp, 1, 1, 0, 0, 0);
	printf("%s %s\n", name, ret < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}

/* syscall NUMBER [ARG ...]: what the kernel answers, by number alone */
static int do_syscall(char **argv)
{
	long args[6] = { 0 }, ret;

	for (int i = 0; i < 6 && argv[i + 1]; i++)
		args[i] = strtol(argv[i + 1], NULL, 0);
	errno = 0;
	ret = syscall(strtol(argv[0], NULL, 0), args[0], args[1], args[2], args[3], args[4],
		      args[5]);
	if (ret < 0)
		printf("%s %s\n", argv[0], strerrorname_np(errno));
	else
		printf("%s %ld\n", argv[0], ret);
	return 0;
}

/* Try to overwrite the runtime through every /proc/PID/exe that is not ours (CVE-2019-5736). */
static int do_overwrite(char **argv)
{
	DIR *dir = opendir("/proc");
	int found = 0;

	(void)argv;
	if (!dir)
		return fail("/proc");
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[300];
		int fd;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 && errno == ETXTBSY)
			fd = open(path, O_RDONLY | O_CLOEXEC);
		else if (fd >= 0)
			printf("writable %s\n", path);
		else
			printf("%s %s\n", path, strerrorname_np(errno));
		found += fd >= 0;
	}
	(void)closedir(dir);
	printf("%d\n", found);
	return 0;
}

static volatile sig_atomic_t caught;

static void catch (int number)
{
	caught = number;
}

/* trap: prints "ready", then the number of the first signal that comes. */
static int do_trap(char **argv)
{
	struct sigaction action = { .sa_handler = catch };

	(void)argv;
	for (int number = 1; number < 32; number++)
		if (number != SIGKILL && number != SIGSTOP)
			(void)sigaction(number, &action, NULL);
	puts("ready");
	fflush(stdout);
	while (!caught)
		pause();
	printf("signal %d\n", (int)caught);
	return 0;
}

/* resized ROWS COLUMNS: prints "ready", waits (10 s) for SIGWINCHs until it is so large */
static int do_resized(char **argv)
{
	struct sigaction action = { .sa_handler = catch };
	struct winsize size = { 0 };
	const struct timespec pause = { .tv_nsec = 10 * 1000000 };

	(void)sigaction(SIGWINCH, &action, NULL);
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 1000; i++) {
		if (ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row == atoi(argv[0]) &&
		    size.ws_col == atoi(argv[1]) && caught)
			break;
		(void)nanosleep(&pause, NULL);
	}
	printf("signal %d size %d %d\n", (int)caught, size.ws_row, size.ws_col);
	return 0;
}

/* A child that outlives us unless the pid namespace ends. */
static int do_daemon(char **argv)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid == 0) {
		(void)setsid();
		do_sleep(argv);
		_exit(0);
	}
	return 0;
}

/* Touch so many MiB of memory. */
static int do_memory(char **argv)
{
	size_t size = (size_t)atoi(*argv ? *argv : "1") << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		return fail("mmap");
	memset(memory, 1, size);
	puts("had it");
	return 0;
}

/* Keep a processor busy for so many milliseconds, and until it was ours for a twentieth of them. */
static int do_burn(char **argv)
{
	long wanted = atol(*argv ? *argv : "1000"), passed = 0, used = 0;
	struct timespec begin, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	while (passed < wanted || used < wanted / 20) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		passed = (now.tv_sec - begin.tv_sec) * 1000 +
			 (now.tv_nsec - begin.tv_nsec) / 1000000;
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
		used = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	}
	return 0;
}

/* writedirect FILE KIB: past the page cache, 4 KiB at a time; says how many milliseconds it took */
static int do_writedirect(char **argv)
{
	static char page[4096] __attribute__((aligned(4096)));
	struct timespec begin, end;
	int fd;

	if (!argv[0] || !argv[1])
		return 1;
	fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(argv[0]);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (long left = atol(argv[1]); left > 0; left -= 4)
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			return fail("write");
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	printf("took %ld\n",
	       (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000);
	return 0;
}

/* fork that many children at once; says how many there were */
static int do_fork(char **argv)
{
	int wanted = atoi(*argv ? *argv : "1"), made = 0;

	fflush(stdout);
	for (; made < wanted; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			(void)pause();
			_exit(0);
		}
	}
	printf("forked %d\n", made);
	fflush(stdout);
	(void)signal(SIGTERM, SIG_IGN);
	(void)kill(0, SIGTERM);
	return 0;
}

/* lo: can 127.0.0.1 be reached? */
static int do_loopback(char **argv)
{
	FILE *file = fopen("/proc/net/if_inet6", "re");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint16_t address[8] = { AF_INET, 0x0900, 0x007f, 0x0100 };

	(void)argv;
	if (file)
		(void)fclose(file);
	if (fd < 0 || connect(fd, (struct sockaddr *)address, sizeof(address)) < 0)
		return fail("connect");
	puts("up");
	return 0;
}

/* Every network device: name, up or down, and its addresses of global scope. */
static int do_links(char **argv)
{
	struct ifaddrs *list, *link, *address;

	(void)argv;
	if (getifaddrs(&list) < 0)
		return fail("getifaddrs");
	for (link = list; link; link = link->ifa_next) {
		if (!link->ifa_addr || link->ifa_addr->sa_family != AF_PACKET)
			continue;
		printf("%s %s", link->ifa_name, link->ifa_flags & IFF_UP ? "up" : "down");
		for (address = list; address; address = address->ifa_next) {
			int family = address->ifa_addr ? address->ifa_addr->sa_family : 0;
			char text[64];

			if (strcmp(address->ifa_name, link->ifa_name) != 0 ||
			    (family != AF_INET && family != AF_INET6))
				continue;
			if (getnameinfo(address->ifa_addr,
					family == AF_INET ? sizeof(struct sockaddr_in)
							  : sizeof(struct sockaddr_in6),
					text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0 &&
			    strncmp(text, "fe80:", 5) != 0)
				printf(" %s", text);
		}
		putchar('\n');
	}
	freeifaddrs(list);
	return 0;
}

/* openfor r|w PATH ...: how it can be opened */
static int do_openfor(char **argv)
{
	int flags = argv[0][0] == 'w' ? O_WRONLY : O_RDONLY;

	for (char **path = argv + 1; *path; path++) {
		int fd = open(*path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		printf("%s %s %s\n", argv[0], *path, fd < 0 ? strerrorname_np(errno) : "ok");
		if (fd >= 0)
			(void)close(fd);
	}
	return 0;
}

/* newproc FOLDER: a fresh procfs by way of namespaces of our own, where it is allowed to whoever
 * sees one without masks */
static int do_newproc(char **argv)
{
	int status = 0;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0)
		return fail("unshare");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid == 0)
		_exit(mount("proc", argv[0], "proc", 0, NULL) < 0 ? fail(argv[0]) : 0);
	if (waitpid(pid, &status, 0) < 0)
		return fail("waitpid");
	return WEXITSTATUS(status);
}

/* swap A B: exchange them until we are killed, which wins any race that can be won */
static int do_swap(char **argv)
{
	while (renameat2(AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) == 0)
		;
	return fail("renameat2");
}

/* lock FILE: hold it from now on */
static int do_lock(char **argv)
{
	int fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 || flock(fd, LOCK_EX) < 0 ? fail(argv[0]) : 0;
}

/* Wait for a line on standard input (or its end). */
static int do_read(char **argv)
{
	char line[4096];

	(void)argv;
	if (fgets(line, sizeof(line), stdin))
		printf("read %s", line);
	return 0;
}

/* clang-format off */
static const struct {
	const char *name;
	int (*run)(char **argv);
} verbs[] = {
	{ "args", do_args },         { "burn", do_burn },       { "caps", do_caps },       { "cat", do_cat },
	{ "clock", do_clock },       { "cwd", do_cwd },         { "daemon", do_daemon },
	{ "echo", do_echo },         { "env", do_env },         { "exit", do_exit },
	{ "false", do_false },       { "fds", do_fds },         { "fork", do_fork },
	{ "hostname", do_hostname }, { "id", do_id },           { "loopback", do_loopback },
	{ "links", do_links },       { "label", do_label },     { "lock", do_lock },
	{ "ls", do_ls },             { "memory", do_memory }, { "mempolicy", do_mempolicy },   { "mkdir", do_mkdir },
	{ "mknod", do_mknod },       { "mounts", do_mounts },   { "namespaces", do_namespaces },
	{ "notify", do_notify },
	{ "nnp", do_nnp },           { "open", do_open },       { "overwrite", do_overwrite },
	{ "pid", do_pid },           { "read", do_read },       { "resized", do_resized },
	{ "rlimit", do_rlimit },     { "scheduler", do_scheduler },
	{ "save", do_save },
	{ "seccomp", do_seccomp },   { "signals", do_signals }, { "sleep", do_sleep },
	{ "stat", do_stat },         { "status", do_status },   { "stderr", do_stderr },
	{ "newproc", do_newproc },   { "openfor", do_openfor },   { "swap", do_swap },         { "syscall", do_syscall },
	{ "trap", do_trap },         { "true", do_true },       { "try", do_try },
	{ "tty", do_tty },           { "umask", do_umask },     { "unix", do_unix },
	{ "write", do_write },       { "writedirect", do_writedirect },
};
/* clang-format on */

static int run_verb(char **argv)
{
	for (size_t i = 0; argv[0] && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(argv[0], verbs[i].name) == 0)
			return verbs[i].run(argv + 1);
	fprintf(stderr, "probe: unknown verb \"%s\"\n", argv[0] ? argv[0] : "");
	return 125;
}

int main(int argc, char **argv)
{
	char **verb = argv + 1;
	int ret = 0;

	for (int i = 1; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], "then") != 0)
			continue;
		argv[i] = NULL;
		ret = run_verb(verb);
		(void)fflush(stdout);
		if (ret)
			break;
		verb = argv + i + 1;
	}
	return ret;
}
