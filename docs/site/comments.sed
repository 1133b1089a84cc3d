# The plain comments of a header as Doxygen wants them: text, in which nothing is a command. A heading alone is none's.
/^ *\/\/ --- [^.]*$/b
s/^( *\/\/ )--- /\1/
/^ *\/\//{
    s/([\\<>#@])/\\\1/g
    s/^( *)\/\//\1\/\/\//
}
s/([;,{]) +\/\/ /\1 \/\/\/< /
