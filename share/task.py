import bpy
import base64
import json
import os
import sys

# What is to be rendered comes as data; nothing of it is ever Python.
task = json.loads(base64.b64decode("@TASK@").decode("utf-8"))
extra = task["extra"] or {}  # what a batch's recipe asks
EEVEES = ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT")  # from 4.2 to 4.5 it had the second name


def refuse(why):
    """No picture is better than a wrong one: say why where every client's log shows it, and end."""
    sys.stdout.write("Error: farmgate: %s\n" % why)
    sys.stdout.flush()
    os._exit(3)


def put(owner, name, value):
    """Set what this Blender knows; generations differ."""
    if owner is not None and hasattr(owner, name):
        try:
            setattr(owner, name, value)
        except (AttributeError, TypeError, ValueError):
            return False
        return True
    return False


def sheepit_set_compute_device(device_type, device_family, device_id):
    """Clients call this with what they want to render on; ("NONE", "CPU", "CPU") is the processor."""
    gpu = device_type not in ("NONE", "CPU", "", None)
    for scene in bpy.data.scenes:
        put(getattr(scene, "cycles", None), "device", "GPU" if gpu else "CPU")
    user = getattr(bpy.context, "preferences", None) or getattr(bpy.context, "user_preferences", None)
    if not gpu:
        put(getattr(user, "system", None), "compute_device_type", "NONE")
        return
    addons = getattr(user, "addons", {})
    settings = addons["cycles"].preferences if "cycles" in addons else getattr(user, "system", None)
    if not put(settings, "compute_device_type", device_type):
        refuse("this Blender can't render with %s" % device_type)
    for refresh in ("get_devices", "refresh_devices"):
        if hasattr(settings, refresh):
            getattr(settings, refresh)()
    for device in getattr(settings, "devices", ()):
        device.use = device.type == device_type and device_id in (device.id, device.name, "", None)


def stand_in(old):
    """Take a scene away and leave a copy in all places that refer to it."""
    name, twin = old.name, None
    try:
        twin = old.copy()
        old.user_remap(twin)  # from 2.78
    except (AttributeError, RuntimeError):
        pass
    return name, twin


def show(scene):
    for window in bpy.context.window_manager.windows:
        put(window, "scene", scene)
        put(getattr(window, "screen", None), "scene", scene)  # until 2.7x


def switch_to(scene):
    """Make -f render another scene. After a script Blender goes back to the scene of before, whatever the windows show, unless it is gone."""
    old = bpy.context.scene
    if old == scene:
        return
    show(scene)
    name, twin = stand_in(old)
    show(scene)
    bpy.data.scenes.remove(old)
    if twin is not None:
        twin.name = name
    if bpy.context.scene != scene:
        refuse("the scene %a can't be chosen in this Blender" % task["scene"])


def choose_scene():
    if task["scene"]:
        scene = bpy.data.scenes.get(task["scene"])
        if scene is None:
            refuse("there is no scene %a in this file" % task["scene"])
        switch_to(scene)
    scene = bpy.context.scene
    if task["camera"]:
        camera = bpy.data.objects.get(task["camera"])
        if camera is None or camera.type != "CAMERA":
            refuse("there is no camera %a in this file" % task["camera"])
        scene.camera = camera
        for marker in scene.timeline_markers:
            put(marker, "camera", None)
    return scene


def set_format(render):
    image = render.image_settings
    put(image, "media_type", "MULTI_LAYER_IMAGE" if task["format"] == "OPEN_EXR_MULTILAYER" else "IMAGE")  # from 5.0
    image.file_format = task["format"]
    if task["depth"]:
        put(image, "color_depth", task["depth"])
    if task["format"].startswith("OPEN_EXR") and image.exr_codec not in ("NONE", "RLE", "ZIPS", "ZIP", "PIZ"):
        image.exr_codec = "ZIP"  # lossy ones would be lossy twice, and some can't be stitched
    if task["format"] == "PNG":
        put(image, "compression", 15)
    if image.color_mode == "BW" and task["format"] == "TARGA":
        image.color_mode = "RGB"
    put(image, "use_preview", False)
    put(render, "use_file_extension", True)
    put(render, "use_overwrite", True)
    put(render, "use_placeholder", False)
    put(render, "use_multiview", False)


def set_region(render):
    """A whole frame may be empty but for a part of it: the recipe's (x, y, width, height, from the lower left), or the scene's own."""
    region = extra.get("region")
    if region == "own":
        return
    render.use_border = region is not None
    if region is not None:
        x, y, width, height = region
        render.border_min_x, render.border_max_x = x, min(x + width, 1.0)
        render.border_min_y, render.border_max_y = y, min(y + height, 1.0)


def set_tile(render):
    x, y, width, height = task["tile"]
    whole_width, whole_height = task["size"]
    render.resolution_percentage = task["percent"]
    have = (render.resolution_x * task["percent"] // 100, render.resolution_y * task["percent"] // 100)
    if have != (whole_width, whole_height):
        refuse("the frame is %d x %d pixels here, and %d x %d in the project" % (have + (whole_width, whole_height)))
    render.use_crop_to_border = task["tiled"]
    if not task["tiled"]:
        set_region(render)
        return
    render.use_border = True
    # Half a pixel inside: x / width alone is often truncated to the pixel before.
    render.border_min_x = (x + 0.5) / whole_width
    render.border_max_x = min((x + width + 0.5) / whole_width, 1.0)
    render.border_min_y = (whole_height - y - height + 0.5) / whole_height
    render.border_max_y = min((whole_height - y + 0.5) / whole_height, 1.0)
    render.dither_intensity = 0.0  # its pattern begins anew in each tile


def only_layer(scene, name):
    layers = getattr(scene, "view_layers", None) or scene.render.layers
    if name not in layers:
        refuse("there is no layer %a in this scene" % name)
    for layer in layers:
        layer.use = layer.name == name


def override(scene, steps, value):
    """scene.A.B["C"] = value; steps are names, or {"at": key or number}."""
    owner = scene
    for step in steps[:-1]:
        owner = owner[step["at"]] if isinstance(step, dict) else getattr(owner, step)
    last = steps[-1]
    if isinstance(last, dict):
        owner[last["at"]] = value
    elif callable(getattr(owner, last)):
        raise TypeError("%s is no property" % last)
    else:
        setattr(owner, last, value)


def set_overrides(scene):
    for path, steps, value in extra.get("set", ()):
        try:
            override(scene, steps, value)
        except Exception as problem:
            refuse("the override %a can't be set: %s" % (path, problem))


def set_extra(scene):
    if "size" in extra:
        scene.render.resolution_x, scene.render.resolution_y = extra["size"]
    if "world" in extra:
        scene.world = bpy.data.worlds.get(extra["world"]) or refuse("there is no world %a in this file" % extra["world"])
    if "layer" in extra:
        only_layer(scene, extra["layer"])
    if "threads" in extra:
        scene.render.threads_mode = "FIXED"
        scene.render.threads = extra["threads"]


def set_quality(scene):
    render = scene.render
    names = (task["engine"],) + EEVEES * (task["engine"] in EEVEES)
    if task["engine"] and not any(put(render, "engine", name) for name in names):
        refuse("this Blender has no render engine %s" % task["engine"])
    cycles, eevee = getattr(scene, "cycles", None), getattr(scene, "eevee", None)
    if task["samples"]:
        put(cycles, "samples", task["samples"])
        put(cycles, "aa_samples", task["samples"])
        put(cycles, "use_square_samples", False)
        put(eevee, "taa_render_samples", task["samples"])
    if task["no_denoise"]:
        put(cycles, "use_denoising", False)
        for layer in getattr(scene, "view_layers", None) or render.layers:
            put(getattr(layer, "cycles", None), "use_denoising", False)


def relink():
    """The files of a batch's scene lie as they did on its host, below another folder: those that it names by absolute paths are found there."""
    home, top = extra.get("home"), os.path.dirname(bpy.data.filepath)
    if home is None:
        return
    for _ in range(extra["blend"].count("/")):  # clients may call the file itself something else
        top = os.path.dirname(top)
    for kind in ("libraries", "images", "sounds", "movieclips", "fonts", "volumes", "cache_files"):
        for thing in getattr(bpy.data, kind, ()):
            path = thing.filepath
            if path.startswith(home + "/") and getattr(thing, "packed_file", None) is None:
                thing.filepath = os.path.join(top, *path[len(home) + 1:].split("/"))
                if hasattr(thing, "reload"):
                    thing.reload()


def prepare():
    relink()
    scene = choose_scene()
    set_extra(scene)
    set_quality(scene)
    set_overrides(scene)
    set_format(scene.render)
    set_tile(scene.render)
    sheepit_set_compute_device("NONE", "CPU", "CPU")


try:
    prepare()
except Exception as problem:  # Blender would go on and render something else
    refuse("%s: %a" % (type(problem).__name__, str(problem)))
