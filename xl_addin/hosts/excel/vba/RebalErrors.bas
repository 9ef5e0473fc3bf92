Attribute VB_Name = "RebalErrors"
Option Explicit
Option Private Module

' Why the last function failed before Python could answer; the Help button shows it.
Public RebalLastFailure As String

' Returns what Python answered, with real cell errors in place of its tokens.
Public Function RebalResult(ByVal answer As Variant) As Variant
    Dim row As Long
    Dim column As Long
    If Not IsArray(answer) Then
        RebalResult = RebalValue(answer)
        Exit Function
    End If
    If RebalDimensions(answer) = 1 Then
        For row = LBound(answer) To UBound(answer)
            answer(row) = RebalValue(answer(row))
        Next row
    Else
        For row = LBound(answer, 1) To UBound(answer, 1)
            For column = LBound(answer, 2) To UBound(answer, 2)
                answer(row, column) = RebalValue(answer(row, column))
            Next column
        Next row
    End If
    RebalResult = answer
End Function

' Keeps the cause and returns an error value: no traceback reaches a cell.
Public Function RebalFailed(ByVal cause As String) As Variant
    RebalLastFailure = cause
    RebalFailed = CVErr(2042)
End Function

Public Function RebalValue(ByVal answer As Variant) As Variant
    RebalValue = answer
    If VarType(answer) <> 8 Then Exit Function
    Select Case answer
        Case "#REBAL!N/A"
            RebalValue = CVErr(2042)
        Case "#REBAL!VALUE"
            RebalValue = CVErr(2015)
        Case "#REBAL!NUM"
            RebalValue = CVErr(2036)
    End Select
End Function

Public Function RebalDimensions(ByVal answer As Variant) As Long
    Dim upper As Long
    RebalDimensions = 1
    On Error GoTo flat
    upper = UBound(answer, 2)
    RebalDimensions = 2
flat:
End Function
