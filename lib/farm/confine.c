#include "farm/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | EPERM)
/* The call named so gets the answer of the next line. */
#define CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1)
#define ALLOW(name) CALL(name), ANSWER(SECCOMP_RET_ALLOW)
#define FORBID(name) CALL(name), REFUSE

#ifdef ARCH
/* Foreign calling conventions are no way around: the numbers below are ours alone (x32 numbers are large). */
#define BEGIN                                                                                                                                             \
	LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),                                            \
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS)

static const struct sock_filter decode[] = {
	BEGIN,
	ALLOW(read), ALLOW(write), ALLOW(pread64), ALLOW(pwrite64), ALLOW(readv), ALLOW(writev), ALLOW(lseek), ALLOW(fstat), ALLOW(newfstatat),
	ALLOW(ftruncate), ALLOW(close), ALLOW(mmap), ALLOW(munmap), ALLOW(mremap), ALLOW(mprotect), ALLOW(madvise), ALLOW(brk), ALLOW(futex),
	ALLOW(rt_sigprocmask), ALLOW(rt_sigaction), ALLOW(rt_sigreturn), ALLOW(sigaltstack), ALLOW(clock_gettime), ALLOW(getpid), ALLOW(gettid),
	ALLOW(getrandom), ALLOW(sched_yield), ALLOW(exit), ALLOW(exit_group),
	REFUSE,
};

#define NO_NETWORK FORBID(socket), FORBID(socketpair), FORBID(connect), FORBID(bind), FORBID(listen)
#define NO_KERNEL                                                                                                                                         \
	FORBID(process_vm_readv), FORBID(process_vm_writev), FORBID(mount), FORBID(umount2), FORBID(pivot_root), FORBID(chroot), FORBID(unshare), FORBID(setns), \
		FORBID(bpf), FORBID(keyctl), FORBID(add_key), FORBID(request_key), FORBID(io_uring_setup), FORBID(userfaultfd), FORBID(perf_event_open),       \
		FORBID(init_module), FORBID(finit_module), FORBID(kexec_load), FORBID(setuid), FORBID(setgid), FORBID(setresuid), FORBID(setresgid)
#ifdef __SANITIZE_ADDRESS__ /* it looks for leaks by it */
#define NO_PTRACE ALLOW(ptrace)
#else
#define NO_PTRACE FORBID(ptrace)
#endif

static const struct sock_filter serve[] = { BEGIN, NO_NETWORK, NO_KERNEL, NO_PTRACE, FORBID(execve), FORBID(execveat), ANSWER(SECCOMP_RET_ALLOW) };
static const struct sock_filter make[] = { BEGIN, NO_NETWORK, NO_KERNEL, NO_PTRACE, ANSWER(SECCOMP_RET_ALLOW) };

static const struct sock_filter program[] = {
	BEGIN,
	FORBID(socket), FORBID(socketpair), FORBID(connect), FORBID(bind), FORBID(listen), FORBID(sendto), FORBID(sendmsg), FORBID(ptrace), FORBID(process_vm_readv),
	FORBID(process_vm_writev), FORBID(kill), FORBID(tkill), FORBID(tgkill), FORBID(mount), FORBID(umount2), FORBID(unshare), FORBID(setns), FORBID(bpf),
	FORBID(keyctl), FORBID(truncate), FORBID(unlinkat), FORBID(renameat), FORBID(renameat2), FORBID(mkdirat), FORBID(mknodat), FORBID(linkat),
	FORBID(symlinkat), FORBID(fchmod), FORBID(fchmodat), FORBID(fchown), FORBID(fchownat), FORBID(utimensat), FORBID(setxattr), FORBID(openat2),
	FORBID(io_uring_setup), FORBID(memfd_create), FORBID(setpgid), FORBID(setsid), FORBID(userfaultfd), FORBID(perf_event_open),
#ifdef __x86_64__
	FORBID(open), FORBID(creat), FORBID(unlink), FORBID(rename), FORBID(mkdir), FORBID(rmdir), FORBID(mknod), FORBID(link), FORBID(symlink),
	FORBID(chmod), FORBID(chown), FORBID(lchown), FORBID(fork), FORBID(vfork),
#endif
	/* Files are opened for reading, or not at all. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
	LOAD(args[2]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0, 1), REFUSE, ANSWER(SECCOMP_RET_ALLOW),
	ANSWER(SECCOMP_RET_ALLOW),
};
#endif

static void
limit(int resource, int64_t value)
{
	setrlimit((__rlimit_resource_t)resource, &(struct rlimit){ .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value });
}

void
fg_confine_limits(int64_t memory_bytes, int64_t cpu_s, int64_t file_bytes)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, cpu_s);
	limit(RLIMIT_FSIZE, file_bytes);
#ifndef __SANITIZE_ADDRESS__ /* its shadow is larger than any limit */
	limit(RLIMIT_DATA, memory_bytes);
#else
	(void)memory_bytes;
#endif
}

bool
fg_confine(enum fg_cage cage)
{
#ifdef ARCH
#define FILTER(list) { .len = sizeof(list) / sizeof(*(list)), .filter = (struct sock_filter *)(list) }
	const struct sock_fprog filters[] = { [FG_CAGE_DECODE] = FILTER(decode), [FG_CAGE_PROGRAM] = FILTER(program), [FG_CAGE_SERVE] = FILTER(serve), [FG_CAGE_MAKE] = FILTER(make) };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filters[cage]) == 0;
#else
	(void)cage;
	errno = ENOSYS;
	return false;
#endif
}
