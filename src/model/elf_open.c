// SPDX-License-Identifier: LGPL-2.1-or-later
#include "load.h"
#include "vmatlas/model/file_name.h"

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

/* The file at the path is not the mapped one: usable only if its build-id is in
 * the mapped pages. */
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

static void object_rename(struct object *object, struct buf *name)
{
	free((char *)object->name);
	object->name = name->data;
	object->name_len = (uint32_t)name->len;
	*name = (struct buf)BUF_INIT;
}

static int object_settle(struct process *process, struct object *object)
{
	struct buf CLEANUP(buf_done) name = BUF_INIT;
	struct source_file_key key = object_key(process, object);
	int rc = 0;

	if (object->newline_escape && (rc = file_name_newline(process->source, &key, &name)) > 0)
		object_rename(object, &name);
	if (rc < 0 || !object->deleted)
		return rc;
	key = object_key(process, object);
	rc = file_name_deleted(process->source, &key, &name);
	if (rc <= 0)
		return rc;
	object_rename(object, &name);
	object->deleted = false;
	return 0;
}

int objects_settle(struct process *process)
{
	for (size_t i = 0; i < process->object_count; i++)
		if (object_is_regular(&process->objects[i]) &&
		    object_settle(process, &process->objects[i]) < 0)
			return -ERROR_NOMEM;
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
			    object->name, object->elf_why && *object->elf_why ? object->elf_why :
			    gap_phrase(gap));
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
