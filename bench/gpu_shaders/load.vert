#version 450
/* Positions are pixels of 1280x720 from the upper left corner. */
layout(location = 0) in vec4 position;
layout(location = 1) in vec4 color;
layout(location = 0) out vec4 passed;

void main()
{
    gl_Position = vec4(position.xy / vec2(640.0, 360.0) - 1.0, position.zw);
    passed = color;
}
