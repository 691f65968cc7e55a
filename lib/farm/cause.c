#include "farm/cause.h"

#include <stddef.h>
#include <strings.h>
#include <string.h>

/* The first row one of whose signs is in the text. Signs are parts of what Blender, clients and our own programs write, letter case aside. */
static const struct rule {
	const char     *signs[12];
	struct fg_cause cause;
} rules[] = {
	{ { "out of memory", "MemoryError", "Malloc returns null", "bad_alloc", "cudaErrorMemoryAllocation" },
	  { "memory", "Blender ran out of memory; split frames into more tiles, use smaller textures, or let workers with more memory take it." } },
	{ { "without OpenImageDenoise", "denoising is not supported", "Denoiser not available", "build without denois" },
	  { "denoiser", "This Blender has no denoiser; submit with denoising off, or have an admin add a renderer that has one." } },
	{ { "Python failed", "Traceback", "SyntaxError", "ImportError", "NameError", "AttributeError", "TypeError", "ValueError", "KeyError", "RuntimeError: ", "ModuleNotFoundError" },
	  { "python", "A Python script of the scene failed; open the log for its last line, and pack or remove the script or add-on." } },
	{ { "render engine is missing", "engine not found", "Engine '", "unknown render engine" },
	  { "engine", "The scene's render engine is not in this Blender; choose Cycles or Eevee, or a renderer version that has it." } },
	{ { "no camera", "Cannot render, no camera" },
	  { "camera", "The scene has no camera to render from; add one, make it active, or choose one when you submit." } },
	{ { "CUDA", "OptiX", "HIP error", "OpenCL", "graphics card is not supported", "No GPU", "graphics card ran out" },
	  { "gpu", "The graphics card or its driver failed; render on CPUs, or ask the machine's owner to update the driver." } },
	{ { "unable to open", "cannot open", "can't open", "No such file", "cannot read", "Missing file", "is missing after its download", "could not load", "not found:" },
	  { "missing-file", "A file that the scene needs could not be opened; pack it into the .blend or zip the whole folder with relative paths." } },
	{ { "not a blend file", "unsupported", "newer", "file format is not supported", "Unknown blend", "File incomplete" },
	  { "blend", "This Blender could not read the .blend; choose a renderer of the version that saved it, or save it for an older one." } },
	{ { "longer than", "too long", "time-out", "timed out", "timeout" },
	  { "time", "It took longer than allowed; split frames into more tiles, lower the samples, or have the time limit raised." } },
	{ { "killed", "Killed", "SIGKILL", "signal 9" },
	  { "killed", "Blender was killed on the worker, often for want of memory; split frames into more tiles or let larger machines take it." } },
	{ { "crash", "Segmentation fault", "SIGSEGV", "signal 11", "EXCEPTION_ACCESS_VIOLATION" },
	  { "crash", "Blender crashed on this scene; try another renderer version, and open the log for its last line." } },
	{ { "picture", "broken", "wrong size", "another format", "damaged" },
	  { "picture", "The picture that came back was not what the task asked for; the task is given to other workers." } },
	{ { "all black" }, { "black", "The picture was all black where another worker's was not; that worker's graphics card or driver is suspect." } },
	{ { "silent", "expired", "disconnected" }, { "silent", "The worker fell silent; its task was given to another one." } },
	{ { "libraries", "could not be started", "not supported", "not available", "create a folder", "download failed" },
	  { "worker", "Blender could not run on that worker; its log says what is missing there." } },
	{ { "without a picture" },
	  { "no-picture", "Blender ended without a picture; open the log: its last lines say why." } },
};
static const struct fg_cause other = { "other", "The worker reported a failure; open the log to see what Blender said." };

const struct fg_cause *
fg_cause_of(const char *outcome)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		for (const char *const *sign = rules[i].signs; *sign != NULL; sign++)
			if (strcasestr(outcome, *sign) != NULL)
				return &rules[i].cause;
	return &other;
}
