Attribute VB_Name = "RebalRibbon"
Option Explicit

' Every button: its tag is the name of a command of xl_addin.commands.
Public Sub RebalButton(control As IRibbonControl)
    RebalRun control.Tag
End Sub

' The Help button: first why the last function failed, where one did.
Public Sub RebalHelpButton(control As IRibbonControl)
    If RebalLastFailure <> "" Then
        MsgBox RebalLastFailure, 48, "Rebalancer"
        RebalLastFailure = ""
        Exit Sub
    End If
    RebalRun control.Tag
End Sub

Public Sub RebalRun(ByVal command As String)
    ' Esc is for Python to see, between two steps: it must not stop VBA in its debugger.
    On Error Resume Next
    Application.EnableCancelKey = 0
    On Error GoTo 0
    RunPython "import xl_addin.commands; xl_addin.commands.press('" & command & "')"
End Sub
