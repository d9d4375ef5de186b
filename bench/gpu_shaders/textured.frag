#version 450
layout(location = 0) in vec4 color;
layout(location = 0) out vec4 result;
layout(binding = 0) uniform sampler2D image;

void main()
{
    result = texture(image, color.xy) * color;
}
