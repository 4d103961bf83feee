// SPDX-License-Identifier: LGPL-2.1-or-later
#include "load.h"

/*
 * Which objects are ELF files, whether the file that can be opened is the mapped one, and where
 * each is loaded.
 */

static bool object_is_regular(const struct object *object)
{
	return object->inode && object->name[0] == '/';
}

struct source_file_key object_key(const struct process *process, const struct object *object)
{
	const struct vma *vma = &process->vmas[object->first_vma];

	return (struct source_file_key) {
		.start = vma->start, .end = vma->end, .inode = object->inode,
		.major = object->major, .minor = object->minor,
		.path = object_name(object), .deleted = object->deleted,
	};
}

/* Of a recorded file it was compared when it was recorded. */
static enum source_build_id mapped_build_id(struct process *process, const struct object *object,
					    const struct source_file *file,
					    const struct elf_image *image)
{
	int same;

	if (file->fd < 0)
		return file->mapped_build_id;
	same = build_id_compare(process, object, image);
	return same < 0 ? BUILD_ID_UNKNOWN : same ? BUILD_ID_SAME : BUILD_ID_DIFFERS;
}

/* The file at the path is not the mapped one: usable only if its build-id is in the mapped pages. */
static int other_file(struct process *process, const struct object *object)
{
	bool same = object->mapped_build_id == BUILD_ID_SAME;

	if (process_warn(process, "changed", "%s: the file on disk is not the mapped one%s",
			 object->name, same ? " (but its build-id is)" : "") < 0)
		return -ERROR_NOMEM;
	return same ? 0 : -ERROR_CHANGED;
}

static int elf_take(struct process *process, struct object *object,
		    const struct source_file *file, struct error *error)
{
	struct elf_image *image;
	int ret = file->no_elf ? error_set(error, ERROR_NOT_FOUND, NULL, "not an ELF file") :
				 elf_image_open_file(file, &image, error);

	object->match = file->match;
	if (ret < 0) {
		if (file->match == FILE_MATCH_OTHER && ret != -ERROR_NOMEM)
			return error_set(error, ERROR_CHANGED, NULL, "another file");
		return ret;
	}
	if (file->match == FILE_MATCH_INODE || file->match == FILE_MATCH_OTHER)
		object->mapped_build_id = mapped_build_id(process, object, file, image);
	if (object->mapped_build_id == BUILD_ID_DIFFERS)
		object->match = FILE_MATCH_OTHER;
	if (object->match == FILE_MATCH_OTHER) {
		ret = other_file(process, object);
		if (ret < 0) {
			elf_image_free(image);
			return error_set(error, (enum error_code)-ret, NULL, "another file");
		}
	}
	object->elf = image;
	return 0;
}

static int file_open(struct process *process, struct object *object, struct error *error)
{
	struct source_file_key key = object_key(process, object);
	struct source *source = source_process_source(process->source);
	struct source_cached cached = { .pages = 1 };
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	int ret = source_file_open(process->source, &key, &file, error);

	if (ret < 0)
		return ret;
	source_file_cached(source, file, 0, file->size, &cached, NULL);
	ret = elf_take(process, object, file, error);
	if (!cached.pages)
		source_file_forget(source, file, 0, 0);
	if (ret < 0)
		return ret;
	object->file = file;
	file = NULL;
	return 0;
}

/* Its pages, or the pieces of it that a snapshot holds. */
static int vdso_open(struct process *process, struct object *object, struct error *error)
{
	const struct vma *vma = &process->vmas[object->first_vma];
	int ret = memory_copy_elf(process, vma->start, vma->end, &object->memory, &object->elf,
				  error);

	return ret == -ERROR_NOT_RECORDED ? file_open(process, object, error) : ret;
}

struct elf_image *object_elf(struct process *process, uint32_t index)
{
	struct object *object = &process->objects[index];
	struct error error = ERROR_INIT;
	int ret;

	if (object->elf_tried)
		return object->elf;
	object->elf_tried = true;
	if (object_is_vdso(object))
		ret = vdso_open(process, object, &error);
	else if (object_is_regular(object))
		ret = file_open(process, object, &error);
	else
		ret = -ERROR_NOT_FOUND;
	object->elf_gap = GAP_NONE;
	if (ret < 0) {
		object->elf_gap = ret == -ERROR_NOT_FOUND ? GAP_NOT_APPLICABLE :
							    gap_from_error(&error);
		object->elf_why = strdup(error.text);
	}
	return object->elf;
}

/* Is the file at this path the mapped one? By its key, so that no FUSE file is touched. */
static bool path_is_object(struct process *process, const struct object *object,
			   const struct buf *path)
{
	struct source_file_key key = {
		.inode = object->inode, .major = object->major, .minor = object->minor,
		.path = buf_span(path),
	};
	CLEANUP(source_file_freep) struct source_file *file = NULL;

	return source_file_open(process->source, &key, &file, NULL) == 0 &&
	       file->match == FILE_MATCH_SAME;
}

static void object_rename(struct object *object, struct buf *name)
{
	free((char *)object->name);
	object->name = name->data;
	object->name_len = (uint32_t)name->len;
	*name = (struct buf)BUF_INIT;
}

/*
 * " (deleted)" at the end of a line may be the kernel's remark or the end of a real name
 * (fs/d_path.c d_path): it is the name if that file exists and is the mapped one.
 */
static int object_settle_deleted(struct process *process, struct object *object)
{
	struct buf CLEANUP(buf_done) path = BUF_INIT;

	if (buf_addf(&path, "%s (deleted)", object->name) < 0)
		return -ERROR_NOMEM;
	if (!path_is_object(process, object, &path))
		return 0;
	object_rename(object, &path);
	object->deleted = false;
	return 0;
}

/* Is this the name that the kernel escaped to the object's? */
static bool is_unescaped_name(const struct object *object, struct span name)
{
	const char *at = object->name;

	for (size_t i = 0; i < name.len; i++) {
		bool newline = name.ptr[i] == '\n';

		if (newline ? strncmp(at, "\\012", 4) : *at != name.ptr[i])
			return false;
		at += newline ? 4 : 1;
	}
	return !*at;
}

/*
 * Backslash 012 may be a newline that the kernel escaped (fs/seq_file.c mangle_path), or these
 * four bytes, which it does not escape: the link in map_files shows the name as it is.
 */
static void object_settle_newline(struct process *process, struct object *object)
{
	const struct vma *vma = &process->vmas[object->first_vma];
	struct buf CLEANUP(buf_done) name = BUF_INIT;

	if (source_mapped_name(process->source, vma->start, vma->end, &name, NULL) < 0)
		return;
	if (object->deleted && span_ends(buf_span(&name), " (deleted)")) {
		name.len -= strlen(" (deleted)");
		name.data[name.len] = '\0';
	}
	if (is_unescaped_name(object, buf_span(&name)))
		object_rename(object, &name);
}

int objects_settle(struct process *process)
{
	for (size_t i = 0; i < process->object_count; i++) {
		struct object *object = &process->objects[i];

		if (!object_is_regular(object))
			continue;
		if (object->newline_escape)
			object_settle_newline(process, object);
		if (object->deleted && object_settle_deleted(process, object) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

#define UNREAD_TOLD 8u	/* files that cannot be read are named up to this number */

/* Code whose file cannot be read: said once per file. Another file at the path has its own
 * warning, and a snapshot without files is no surprise. */
static int unread_warn(struct process *process, const struct object *object, unsigned *told)
{
	enum gap gap = object->elf_gap;

	if (object->elf || gap == GAP_NONE || gap == GAP_NOT_APPLICABLE ||
	    gap == GAP_NOT_RECORDED || gap == GAP_CHANGED || (*told)++ >= UNREAD_TOLD)
		return 0;
	return process_warn(process, gap_name(gap),
			    "%s: not read (%s): its parts are told by order and permissions",
			    object->name,
			    object->elf_why && *object->elf_why ? object->elf_why : gap_phrase(gap));
}

/* One bit per reason to look into a file; data files are not opened at all. */
struct wanted {
	bool exec;
	uint32_t private_vmas;
};

static bool vma_is_exe(const struct process *process, const struct object *object)
{
	return process->exe.len && object->deleted == process->exe_deleted &&
	       span_equal(object_name(object), buf_span(&process->exe));
}

static void wanted_count(const struct process *process, struct wanted *wanted)
{
	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];

		if (vma->object == OBJECT_NONE || vma->perms & VMA_SHARED)
			continue;
		wanted[vma->object].private_vmas++;
		if (vma->perms & VMA_EXEC)
			wanted[vma->object].exec = true;
	}
}

/* An ELF file that was loaded has code or several segments; anything else is only data. */
int objects_open_elf(struct process *process)
{
	struct wanted *wanted CLEANUP_FREE =
		calloc(process->object_count + 1, sizeof(*wanted));
	unsigned told = 0;

	if (!wanted)
		return -ERROR_NOMEM;
	wanted_count(process, wanted);
	for (uint32_t i = 0; i < process->object_count; i++) {
		struct object *object = &process->objects[i];

		if (wanted[i].exec || wanted[i].private_vmas > 1 || vma_is_exe(process, object))
			object_elf(process, i);
		if (wanted[i].exec && unread_warn(process, &process->objects[i], &told) < 0)
			return -ERROR_NOMEM;
	}
	return objects_place(process);
}
