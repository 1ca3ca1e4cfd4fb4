#include "control/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8, MODE = 0600, FOLDER_MODE = 0755 };

static int failed(struct error *err, const char *what, const char *path)
{
	return error_set(err, FC_EIO, "control: %s: %s: %s", what, path, strerror(errno));
}

static int make_folder(const char *path, struct error *err)
{
	char folder[sizeof(((struct place *)0)->path)];

	(void)snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return FC_OK;
	*slash = '\0';
	if (mkdir(folder, FOLDER_MODE) && errno != EEXIST)
		return failed(err, "make folder", folder);
	return FC_OK;
}

static int take_lock(struct place *place, struct error *err)
{
	char path[sizeof(place->path) + 8];

	(void)snprintf(path, sizeof(path), "%s.lock", place->path);
	place->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
	if (place->lock < 0)
		return failed(err, "open", path);
	if (!flock(place->lock, LOCK_EX | LOCK_NB))
		return FC_OK;
	return error_set(err, FC_EEXIST, "control: %s: belongs to another daemon that runs", place->path);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* Also whoever takes no lock is not robbed: only a socket where nobody listens is taken away. */
static int clear(const char *path, struct error *err)
{
	struct sockaddr_un address = address_of(path);
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? FC_OK : failed(err, "look at", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, FC_EEXIST, "control: %s: is there and is no socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(err, "socket", path);
	int dead = connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno == ECONNREFUSED;
	close(fd);
	if (!dead)
		return error_set(err, FC_EEXIST, "control: %s: someone listens there", path);
	if (unlink(path))
		return failed(err, "remove", path);
	return FC_OK;
}

static int open_socket(struct place *place, struct error *err)
{
	struct sockaddr_un address = address_of(place->path);
	struct stat st;

	place->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode of the socket before it is bound is that of the file: it is never open to others, not for a moment. */
	if (place->fd < 0 || fchmod(place->fd, MODE) || bind(place->fd, (struct sockaddr *)&address, sizeof(address)))
		return failed(err, "bind", place->path);
	if (lstat(place->path, &st))
		return failed(err, "look at", place->path);
	place->device = st.st_dev;
	place->inode = st.st_ino;
	if (chmod(place->path, MODE) || listen(place->fd, BACKLOG))
		return failed(err, "listen", place->path);
	return FC_OK;
}

int place_open(struct place *place, const char *path, struct error *err)
{
	*place = (struct place){.fd = -1, .lock = -1};
	if (!*path || strlen(path) >= sizeof(place->path))
		return error_set(err, FC_EINVAL, "control: %.40s...: too long for a socket's path", path);
	(void)snprintf(place->path, sizeof(place->path), "%s", path);
	int result = make_folder(path, err);
	if (!result)
		result = take_lock(place, err);
	if (!result)
		result = clear(path, err);
	if (!result)
		result = open_socket(place, err);
	if (result)
		place_close(place);
	return result;
}

void place_close(struct place *place)
{
	struct stat st;

	if (place->inode && !lstat(place->path, &st) && st.st_dev == place->device && st.st_ino == place->inode)
		(void)unlink(place->path);
	if (place->fd >= 0)
		close(place->fd);
	/* The lock's file stays: taken away, two could hold two of them. */
	if (place->lock >= 0)
		close(place->lock);
	*place = (struct place){.fd = -1, .lock = -1};
}
