"""The sample scene of the quickstart: low sun through a row of gates, and a lattice that turns in the last of them.

    blender -b --factory-startup -noaudio -P share/sample.py -- share/sample.blend

12 frames, 480x270, Cycles with 24 samples and no denoiser, so that any Blender renders it in seconds. The lattice turns by a symmetry
of its own: the twelfth frame leads back to the first.
"""
import math
import sys

import bpy

FRAMES = 12
GATES = 5


def material(name, color, roughness, metallic=0.0, emission=0.0):
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    made.cycles.sample_as_light = False
    if emission:
        shader.inputs["Emission Color" if "Emission Color" in shader.inputs else "Emission"].default_value = (*color, 1)  # the first from 4.0
        shader.inputs["Emission Strength"].default_value = emission
    return made


def mesh(name, vertices, faces, look):
    data = bpy.data.meshes.new(name)
    data.from_pydata(vertices, [], faces)
    data.materials.append(look)
    made = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(made)
    return made


def arch(name, y, look, inner=2.0, outer=2.45, post=2.4, depth=0.5, steps=40):
    """A round arch on two posts, as a closed band of quads."""
    line = [(-1, 0.0, None)] + [(0, 0.0, math.pi * (1 - i / steps)) for i in range(steps + 1)] + [(1, 0.0, None)]
    ring = []
    for side, _, angle in line:
        if angle is None:
            ring.append(((side * inner, 0), (side * outer, 0)))
        else:
            c, s = math.cos(angle), math.sin(angle)
            ring.append(((c * inner, post + s * inner), (c * outer, post + s * outer)))
    vertices, faces = [], []
    for (xi, zi), (xo, zo) in ring:
        vertices += [(xi, y, zi), (xo, y, zo), (xo, y + depth, zo), (xi, y + depth, zi)]
    for i in range(len(ring) - 1):
        a, b = 4 * i, 4 * i + 4
        faces += [(a + k, b + k, b + (k + 1) % 4, a + (k + 1) % 4) for k in range(4)]
    return mesh(name, vertices, faces, look)


def sky(world):
    """Warm at the horizon, deep above: two colours by height, no picture needed."""
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    where = nodes.new("ShaderNodeTexCoord")
    split = nodes.new("ShaderNodeSeparateXYZ")
    ramp = nodes.new("ShaderNodeValToRGB")
    stops = ramp.color_ramp.elements
    stops[0].position, stops[0].color = 0.0, (1.0, 0.48, 0.22, 1)
    stops[1].position, stops[1].color = 0.75, (0.02, 0.05, 0.14, 1)
    for at, color in ((0.10, (0.86, 0.36, 0.26, 1)), (0.30, (0.20, 0.17, 0.30, 1))):
        stops.new(at).color = color
    links.new(where.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], ramp.inputs[0])
    links.new(ramp.outputs[0], nodes["Background"].inputs["Color"])
    nodes["Background"].inputs["Strength"].default_value = 1.1


def lattice(center, look):
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=2, radius=1.15, location=center)
    made = bpy.context.object
    made.name = "Lattice"
    made.data.materials.append(look)
    wire = made.modifiers.new("Wireframe", "WIREFRAME")
    wire.thickness = 0.075
    # A fifth of a turn about the axis through a vertex brings the lattice back to itself.
    for frame, angle in ((1, 0.0), (1 + FRAMES, 2 * math.pi / 5)):
        made.rotation_euler = (0, 0, angle)
        made.keyframe_insert("rotation_euler", frame=frame)
    for curve in made.animation_data.action.fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def heart(center, look):
    bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=16, radius=0.34, location=center)
    made = bpy.context.object
    made.name = "Heart"
    bpy.ops.object.shade_smooth()
    made.data.materials.append(look)
    made.visible_diffuse = False


def sun():
    lamp = bpy.data.lights.new("Sun", "SUN")
    lamp.energy, lamp.angle, lamp.color = 2.6, math.radians(2.0), (1.0, 0.66, 0.36)
    made = bpy.data.objects.new("Sun", lamp)
    made.rotation_euler = (math.radians(-79), 0, math.radians(1.5))
    bpy.context.collection.objects.link(made)


def camera():
    data = bpy.data.cameras.new("Camera")
    data.lens = 30
    made = bpy.data.objects.new("Camera", data)
    made.location, made.rotation_euler = (1.9, -12.4, 1.5), (math.radians(93.2), 0, math.radians(7.0))
    bpy.context.collection.objects.link(made)
    return made


def main(path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = "Gate"
    scene.world = bpy.data.worlds.new("Sky")
    sky(scene.world)

    stone = material("Stone", (0.55, 0.47, 0.42), 0.7)
    brass = material("Brass", (0.95, 0.62, 0.25), 0.28, metallic=1.0)
    water = material("Water", (0.035, 0.05, 0.07), 0.14)
    ember = material("Ember", (1.0, 0.52, 0.18), 0.5, emission=6.0)
    mesh("Water", [(-80, -30, 0), (80, -30, 0), (80, 160, 0), (-80, 160, 0)], [(0, 1, 2, 3)], water)
    for i in range(GATES):
        arch(f"Gate {i + 1}", -4.0 + 4.2 * i, stone)
    center = (0, -4.0 + 4.2 + 0.25, 2.35)
    lattice(center, brass)
    heart(center, ember)
    sun()
    scene.camera = camera()

    scene.frame_start, scene.frame_end = 1, FRAMES
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = 480, 270, 100
    render.fps, render.fps_base = 12, 1.0
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "Medium High Contrast"
    cycles = scene.cycles
    cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = 24, False, False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 1, 3
    cycles.sample_clamp_indirect = 1.5
    cycles.sample_clamp_direct = 6.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    bpy.ops.wm.save_as_mainfile(filepath=path, compress=True)


main(sys.argv[sys.argv.index("--") + 1])
